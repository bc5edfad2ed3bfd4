import type { Clock } from './clock.ts'
import type { Voice } from './voice.ts'

/** The voice of the former song, as long as its last milliseconds sound beside the first of the next. */
export interface Tail {
  readonly isHeard: boolean
  /** Lets the voice sound to its end, and unloads it then. */
  begin(voice: Voice): void
  /** The element says that it has ended: at once, if it is this voice's. */
  ended(voice: Voice): void
  /** Something else is to sound now. */
  end(): void
}

/** What was left of a song when the next one began has sounded after this long, whatever its element says. */
const tailMs = 300

export function createTail(clock: Clock): Tail {
  let tail: Voice | undefined
  let cancel = () => {}

  function end() {
    cancel()
    tail?.unload()
    tail = undefined
  }

  return {
    get isHeard() {
      return tail !== undefined
    },
    begin(voice) {
      tail = voice
      cancel = clock.after(tailMs, end)
    },
    ended(voice) {
      if (voice === tail) end()
    },
    end,
  }
}
