import type { Source } from './source.ts'
import type { Voice } from './voice.ts'

/** What becomes of a voice, as its element tells it. */
export interface Hearing {
  time(voice: Voice): void
  ended(voice: Voice): void
  /** From here on only of the voice that is heard, while it carries something. More has been fetched. */
  fetched(voice: Voice): void
  /** The element knows how long the song is. */
  measured(durationMs: number): void
  playing(voice: Voice): void
  /** What was fetched is used up. */
  waiting(): void
  /** The system has stopped the sound, not we: headphones were pulled out, or another program took it. */
  taken(): void
  /** A MediaError code. */
  broken(code: number, source: Source): void
}

export function listenTo(voice: Voice, isActive: (voice: Voice) => boolean, tell: Hearing): void {
  const { element } = voice
  const whenActive = (type: string, action: () => void) =>
    element.addEventListener(type, () => {
      if (isActive(voice) && voice.entry !== undefined) action()
    })
  element.addEventListener('timeupdate', () => tell.time(voice))
  element.addEventListener('ended', () => tell.ended(voice))
  whenActive('progress', () => tell.fetched(voice))
  whenActive('durationchange', () => {
    const exact = voice.source?.kind === 'direct' && Number.isFinite(element.duration)
    if (exact && element.duration > 0) tell.measured(element.duration * 1000)
  })
  whenActive('playing', () => tell.playing(voice))
  whenActive('waiting', tell.waiting)
  whenActive('pause', () => {
    // The event comes late: whoever has pressed play again by then is not stopped by the pause before.
    if (element.paused && !element.ended && element.error === null) tell.taken()
  })
  whenActive('error', () => {
    if (element.error !== null && voice.source !== undefined) tell.broken(element.error.code, voice.source)
  })
}
