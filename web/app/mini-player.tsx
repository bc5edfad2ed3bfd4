import { Link } from '@tanstack/react-router'
import { coverOf } from '../api/media.ts'
import { Cover } from '../components/cover.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { currentEntry } from '../player/queue.ts'
import { usePlayerState } from './sound.tsx'
import { NextButton, PlayButton } from './transport.tsx'
import './mini-player.css'

/** The player of a phone while something else is on the screen: a touch opens the large one. */
export function MiniPlayer() {
  const { say } = useWords()
  const track = usePlayerState((state) => currentEntry(state.queue)?.track)
  const part = usePlayerState((state) =>
    state.durationMs > 0 ? Math.round((state.positionMs / state.durationMs) * 500) / 5 : 0,
  )
  const recovering = usePlayerState((state) => state.status === 'recovering')
  if (track === undefined) return null
  return (
    <section className="mini" aria-label={say('player')}>
      <i className="mini-part" style={{ inlineSize: `${part}%` }} />
      <Link to="/playing" className="mini-open">
        <span className="visually-hidden">{say('openPlaying')}</span>
        <Cover of={coverOf(track)} size={64} eager className="mini-cover" />
        <span className="mini-text">
          <b dir="auto">{track.title}</b>
          <span dir="auto">{recovering ? say('recovering') : track.artist}</span>
        </span>
      </Link>
      <PlayButton size={20} />
      <NextButton />
    </section>
  )
}
