import type { LoggerOptions } from 'pino'
import { z } from 'zod'

/** What is away stays away for a while, and whoever waits for it tries every second. */
const everyMs = 60_000
/** What our own deadlines throw. */
const deadline = z.object({ name: z.literal('TimeoutError') })
const absence = z.object({
  err: z.union([
    z.object({ code: z.enum(['UNREACHABLE', 'TIMED_OUT', 'ETCD_MISSING', 'ETCD_FAILED']) }),
    deadline,
    // What waits in Node's own functions throws when a deadline ends it.
    z.object({ name: z.literal('AbortError'), cause: deadline }),
  ]),
})

/**
 * Hooks for the log of a node: the same line about something that cannot be reached is written once a minute, and then says
 * how often it was left out. All else is written as it comes.
 */
export function calmHooks(
  now: () => number = performance.now.bind(performance),
): Required<LoggerOptions>['hooks'] {
  const written = new Map<string, { readonly at: number; left: number }>()
  return {
    logMethod(given, write) {
      const [details, message]: readonly unknown[] = given
      if (typeof message !== 'string' || !absence.safeParse(details).success) return write.apply(this, given)
      const last = written.get(message)
      if (last !== undefined && now() - last.at < everyMs) {
        last.left += 1
        return
      }
      written.set(message, { at: now(), left: 0 })
      const leftOut = last?.left ?? 0
      write.apply(this, leftOut === 0 ? given : [{ ...Object(details), leftOut }, message])
    },
  }
}
