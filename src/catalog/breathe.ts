import { setImmediate } from 'node:timers/promises'

/** The main thread sends audio: long work there gives way after so many milliseconds. */
const sliceMs = 4

/** A function to be awaited in every round of a long loop: it lets the event loop go on once a slice of time is used. */
export function createBreather(): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < sliceMs) return
    await setImmediate()
    since = performance.now()
  }
}
