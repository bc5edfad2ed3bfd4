import { usePlayerState } from '../../app/sound.tsx'
import {
  NextButton,
  PlayButton,
  PlayerTrouble,
  PreviousButton,
  SeekBar,
  VolumeControl,
} from '../../app/transport.tsx'
import { Cover } from '../../components/cover.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { currentEntry } from '../../player/queue.ts'

/** What plays, along the bottom of the page; nothing before something does. */
export function SharedBar() {
  const { say } = useWords()
  const track = usePlayerState((state) => currentEntry(state.queue)?.track)
  if (track === undefined) return null
  return (
    <section className="shared-bar" aria-label={say('player')}>
      <div className="shared-bar-track">
        <span className="shared-bar-cover">
          <Cover of={{ kind: 'track', id: track.id, version: track.cover }} size={64} eager />
        </span>
        <div className="shared-bar-text">
          <b dir="auto">{track.title}</b>
          <p dir="auto" className="fine">
            {track.artist}
          </p>
        </div>
      </div>
      <div className="shared-bar-buttons">
        <PreviousButton />
        <PlayButton />
        <NextButton />
      </div>
      <div className="shared-bar-seek">
        <SeekBar />
      </div>
      <div className="shared-bar-end">
        <VolumeControl />
      </div>
      <div className="shared-bar-trouble" role="status">
        <PlayerTrouble />
      </div>
    </section>
  )
}
