import type { Clock } from './clock.ts'

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

/** `remainingMs`: how much of the song is left; undefined where the next one could not begin now. */
export function createJoint(clock: Clock, remainingMs: () => number | undefined, start: () => void): Joint {
  let cancel = () => {}
  function plan() {
    cancel()
    const leftMs = remainingMs()
    if (leftMs === undefined || leftMs > plannedAheadMs) return
    const waitMs = leftMs - leadMs
    if (waitMs <= 1) start()
    else cancel = clock.after(waitMs, plan)
  }
  return { plan, cancel: () => cancel() }
}
