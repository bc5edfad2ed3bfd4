import type { Clock } from './clock.ts'
import type { Source } from './source.ts'
import { mediaErrors } from './voice.ts'

/** What to do when sound breaks off. Law B5 seen from the listener's side: the music goes on where it was. */
export interface Recovery {
  /** Sound is wanted: if none comes for a while, something is wrong. */
  watch(): void
  /** Sound comes: all is well. */
  progress(): void
  /** The element reported this error (a MediaError code), or the stream ended too early. */
  broken(error: number | 'network', source: Source): void
  /** Does not wait any longer for the next attempt. */
  now(): void
  /** Another track, or silence is wanted: nothing is to be recovered. */
  reset(): void
  attempts(): number
}

export interface RecoveryParts {
  clock: Clock
  probe(url: string): Promise<number | undefined>
  onWait(): void
  onRetry(): void
  /** The file is there and this browser cannot decode it. */
  onTranscode(): void
  onPassOver(kind: 'gone' | 'unplayable'): void
  onGiveUp(kind: 'unreachable' | 'signedOut'): void
}

/** Without a sound for this long, the stream is taken as stuck. */
const stuckAfterMs = 15_000
/** Eight attempts over about a minute; the browser's `online` event or a person starts them again. */
const mostAttempts = 8
const backoffMs = (attempt: number) => Math.min(400 * 2 ** (attempt - 1), 15_000)

export function createRecovery(parts: RecoveryParts): Recovery {
  let attempt = 0
  let round = 0
  let cancel = () => {}

  function plan(ms: number, action: () => void) {
    cancel()
    cancel = parts.clock.after(ms, action)
  }

  function retryLater() {
    attempt += 1
    if (attempt > mostAttempts) {
      reset()
      return parts.onGiveUp('unreachable')
    }
    parts.onWait()
    plan(backoffMs(attempt), parts.onRetry)
  }

  /** Browsers call a missing file, a broken connection and a strange format by the same name: ask the server. */
  async function judge(source: Source) {
    const asked = ++round
    parts.onWait()
    const status = await parts.probe(source.url)
    if (asked !== round) return
    if (status === 401) return parts.onGiveUp('signedOut')
    if (status === 403 || status === 404 || status === 410) return parts.onPassOver('gone')
    if (status === undefined || status === 429 || status >= 500) return retryLater()
    if (source.kind === 'direct') return parts.onTranscode()
    return parts.onPassOver('unplayable')
  }

  function reset() {
    attempt = 0
    round += 1
    cancel()
  }

  return {
    watch: () => plan(stuckAfterMs, retryLater),
    progress: reset,
    broken(error, source) {
      cancel()
      if (error === mediaErrors.aborted) return
      if (error === mediaErrors.decode || error === mediaErrors.notSupported) void judge(source)
      else retryLater()
    },
    now() {
      plan(0, parts.onRetry)
    },
    reset,
    attempts: () => attempt,
  }
}
