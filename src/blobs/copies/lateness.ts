/** How late this thread does what is due, in milliseconds: the worst of the last moments, fading. */
export type Lateness = () => number

/** How often it is measured, in milliseconds, while somebody asks. */
const everyMs = 10
/** What a delay still counts for at the next measurement: after a tenth of a second a third of it is left. */
const fading = 0.9
/** Without a question for so long, in milliseconds, nothing is measured: an idle node sleeps. */
const idleMs = 1_000

export function createLateness(): Lateness {
  let late = 0
  let askedAt = 0
  let isMeasuring = false

  function measure(): void {
    isMeasuring = true
    const due = performance.now() + everyMs
    setTimeout(() => {
      const now = performance.now()
      late = Math.max(now - due, late * fading)
      isMeasuring = false
      if (now - askedAt < idleMs) measure()
      else late = 0
    }, everyMs).unref()
  }

  return () => {
    askedAt = performance.now()
    if (!isMeasuring) measure()
    return late
  }
}
