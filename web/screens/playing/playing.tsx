import { useQuery } from '@tanstack/react-query'
import { Link, useRouter } from '@tanstack/react-router'
import { ChevronDown, ListMusic, MicVocal, MoreHorizontal, Music2 } from 'lucide-react'
import { useState } from 'react'
import { coverOf } from '../../api/media.ts'
import { useTrackMenu } from '../../app/actions.tsx'
import { lyricsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { usePlayerState } from '../../app/sound.tsx'
import {
  NextButton,
  PlayButton,
  PlayerTrouble,
  PreviousButton,
  SeekBar,
  SideButton,
} from '../../app/transport.tsx'
import { IconButton } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { useMenu } from '../../components/menu.tsx'
import { useTitle } from '../../components/page.tsx'
import { StarButton } from '../../components/star.tsx'
import { EmptyState } from '../../components/states.tsx'
import { ArtistLinks, SourceLink } from '../../components/track-row.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import type { Playable } from '../../player/playable.ts'
import { currentEntry } from '../../player/queue.ts'
import { LyricsView } from './lyrics.tsx'
import './playing.css'

/** What plays, as large as the window: the cover, and the words where there are any. */
export function Playing() {
  const { say } = useWords()
  const track = usePlayerState((state) => currentEntry(state.queue)?.track)
  useTitle(say('player'))
  if (track === undefined) {
    return (
      <EmptyState icon={Music2} title={say('nothingPlays')} text={say('nothingPlaysText')}>
        <Link to="/" className="button button-primary">
          {say('home')}
        </Link>
      </EmptyState>
    )
  }
  return <PlayingTrack track={track} />
}

function PlayingTrack({ track }: { track: Playable }) {
  const { say } = useWords()
  const router = useRouter()
  const trackMenu = useTrackMenu()
  const showMenu = useMenu()
  const isTrack = track.kind === undefined
  const lyrics = useQuery({ ...lyricsQuery(useApi(), track.id), enabled: isTrack })
  const [wordsWanted, setWordsWanted] = useState(true)
  const sheet = lyrics.data?.items[0]
  const words = sheet !== undefined && wordsWanted
  const label = say('menuNamed', { name: track.title })
  return (
    <div className="playing" data-words={words || undefined}>
      <div className="playing-air" aria-hidden>
        <Cover of={coverOf(track)} size={64} eager />
      </div>
      <header className="playing-head">
        <IconButton
          icon={ChevronDown}
          size={26}
          label={say('closePlaying')}
          onClick={() => router.history.back()}
        />
        <p>
          <span className="fine">{say('playingFrom')}</span>
          <SourceLink of={track}>
            {track.kind === 'station' ? say('radio') : track.album.name || say('unnamedAlbum')}
          </SourceLink>
        </p>
        <IconButton
          icon={MoreHorizontal}
          size={24}
          label={label}
          onClick={(event) => showMenu({ items: trackMenu(track), label, from: event.currentTarget })}
        />
      </header>
      <div className="playing-cover">
        <Cover of={coverOf(track)} size={512} eager />
      </div>
      {words ? <LyricsView sheet={sheet} /> : null}
      <div className="playing-foot">
        <div className="playing-track">
          <div>
            <h1 dir="auto">{track.title}</h1>
            <p dir="auto">
              <ArtistLinks artists={track.artists} text={track.artist} />
            </p>
          </div>
          {isTrack ? <StarButton kind="track" item={track} size={24} /> : null}
        </div>
        <div className="playing-phone">
          <SeekBar />
          <div className="playing-buttons">
            <SideButton side="start" />
            <PreviousButton size={28} />
            <PlayButton size={30} />
            <NextButton size={28} />
            <SideButton side="end" />
          </div>
          <PlayerTrouble />
        </div>
        <div className="playing-tools">
          {sheet === undefined ? null : (
            <IconButton
              icon={MicVocal}
              label={say('lyrics')}
              pressed={wordsWanted}
              onClick={() => setWordsWanted(!wordsWanted)}
            />
          )}
          <Link
            to="/queue"
            className="icon-button playing-phone-only"
            aria-label={say('queue')}
            title={say('queue')}
          >
            <ListMusic size={20} aria-hidden />
          </Link>
        </div>
      </div>
    </div>
  )
}
