import type { Clock } from './clock.ts'
import type { Entry } from './queue.ts'
import { haveFutureData } from './voice.ts'
import type { Voices } from './voices.ts'

/**
 * Where one song ends and the next begins. The event that an element has ended comes late, and sound begins some
 * milliseconds after it was asked for; so the next voice is started by the clock, that much before the end of the first,
 * which sounds to its own end. Where the clock fails, the event remains.
 */
export interface Joint {
  /** The song has gone on: the moment is known better now. */
  plan(): void
  cancel(): void
}

/** From asking for sound to hearing it, and from the last sound to the event; `bench/joints` measures both together. */
const leadMs = 5
/** Time updates come four times in a second; the last of them before the end sets the clock. */
const plannedAheadMs = 1_000
/** A length that differs this much from the server's is a guess of the browser. */
const trustedMs = 1_000

/** `remaining`: how much of the song is left, in milliseconds; undefined where the next one could not begin now. */
export function createJoint(clock: Clock, remaining: () => number | undefined, start: () => void): Joint {
  let cancel = () => {}
  function plan() {
    cancel()
    const leftMs = remaining()
    if (leftMs === undefined || leftMs > plannedAheadMs) return
    const waitMs = leftMs - leadMs
    if (waitMs <= 1) start()
    else cancel = clock.after(waitMs, plan)
  }
  return { plan, cancel: () => cancel() }
}

/** What is left of the current song, where the other voice could begin the next one without a pause; in milliseconds. */
export function remainingMs(
  { active, idle }: Pick<Voices, 'active' | 'idle'>,
  entry: Entry | undefined,
  next: Entry | undefined,
): number | undefined {
  if (entry === undefined || active.entry?.key !== entry.key || active.element.paused) return undefined
  const carriesNext = next !== undefined && idle.entry?.key === next.key
  if (!carriesNext || idle.element.readyState < haveFutureData || idle.element.error !== null)
    return undefined
  const { duration, currentTime } = active.element
  const exact = Math.abs(duration * 1000 - entry.track.durationMs) < trustedMs
  return active.source?.kind === 'direct' && exact ? (duration - currentTime) * 1000 : undefined
}
