import { Link, useRouter, useRouterState } from '@tanstack/react-router'
import { ListMusic, Maximize2, Minimize2 } from 'lucide-react'
import { coverOf } from '../api/media.ts'
import { IconButton } from '../components/controls.tsx'
import { Cover } from '../components/cover.tsx'
import { StarButton } from '../components/star.tsx'
import { ArtistLinks, SourceLink } from '../components/track-row.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { currentEntry } from '../player/queue.ts'
import { useServices, useView } from './services.tsx'
import { usePlayerState } from './sound.tsx'
import {
  NextButton,
  PlayButton,
  PlayerTrouble,
  PreviousButton,
  SeekBar,
  SideButton,
  VolumeControl,
} from './transport.tsx'
import './player-bar.css'

/** The bar along the bottom of wide windows. */
export function PlayerBar() {
  const { view } = useServices()
  const { say } = useWords()
  const router = useRouter()
  const queueOpen = useView((state) => state.queueOpen)
  const onPlaying = useRouterState({ select: (state) => state.location.pathname === '/playing' })
  return (
    <section className="player-bar" aria-label={say('player')}>
      <NowPlaying />
      <div className="player-bar-middle">
        <div className="player-bar-buttons">
          <SideButton side="start" />
          <PreviousButton />
          <PlayButton />
          <NextButton />
          <SideButton side="end" />
        </div>
        <SeekBar />
      </div>
      <div className="player-bar-end">
        <PlayerTrouble />
        <IconButton
          icon={ListMusic}
          label={say('queue')}
          pressed={queueOpen}
          onClick={() => view.set({ queueOpen: !queueOpen })}
        />
        <VolumeControl />
        <IconButton
          icon={onPlaying ? Minimize2 : Maximize2}
          size={18}
          label={say(onPlaying ? 'closePlaying' : 'openPlaying')}
          onClick={() => (onPlaying ? router.history.back() : router.navigate({ to: '/playing' }))}
        />
      </div>
    </section>
  )
}

function NowPlaying() {
  const { say } = useWords()
  const track = usePlayerState((state) => currentEntry(state.queue)?.track)
  if (track === undefined) {
    return (
      <div className="player-bar-track">
        <span className="player-bar-cover cover" />
        <p className="fine">{say('nothingPlays')}</p>
      </div>
    )
  }
  return (
    <div className="player-bar-track">
      <Link to="/playing" aria-label={say('openPlaying')} className="player-bar-cover">
        <Cover of={coverOf(track)} size={64} eager />
      </Link>
      <div className="player-bar-text">
        <SourceLink of={track} className="player-bar-title">
          {track.title}
        </SourceLink>
        <p dir="auto" className="fine">
          <ArtistLinks artists={track.artists} text={track.artist} />
        </p>
      </div>
      {track.kind !== undefined ? null : <StarButton kind="track" item={track} />}
    </div>
  )
}
