import { startConfined } from '../../children/confined.ts'
import { CodedError } from '../../protocol/errors.ts'
import { type WalkMessage, type WalkOrder, walkMessage } from './messages.ts'

/**
 * Has processes walk folders. One that has finished is kept for a moment, since changes in a folder come in bursts,
 * and a process takes ten times as long to start as a small folder to walk.
 */
export interface Walker extends Disposable {
  /**
   * Yields what the process says; ends with the message that is `done`. Throws TIMED_OUT where the disk does not answer,
   * UNREACHABLE where the process dies, and the signal's reason.
   */
  walk(order: WalkOrder, signal: AbortSignal): AsyncGenerator<WalkMessage>
}

/** A disk that answers nothing for so long is taken for gone. */
const silenceMs = 60_000
/** A process without work for so long is ended. */
const idleMs = 10_000

export function createWalker(): Walker {
  let idle: Child | undefined
  let leaving: NodeJS.Timeout | undefined

  function takeIdle(): Child | undefined {
    const child = idle
    idle = undefined
    clearTimeout(leaving)
    return child
  }
  function dismiss(): void {
    clearTimeout(leaving)
    idle?.end()
    idle = undefined
  }
  function keep(child: Child): void {
    dismiss()
    idle = child
    leaving = setTimeout(dismiss, idleMs).unref()
  }

  return {
    async *walk(order, signal) {
      signal.throwIfAborted()
      const kept = takeIdle()
      let child = kept ?? startChild()
      let isDone = false
      try {
        child.send(order)
        let said = await child.next(order.root, signal)
        if (said === null && child === kept) {
          // It had died while it was kept.
          child = startChild()
          child.send(order)
          said = await child.next(order.root, signal)
        }
        for (;;) {
          if (said === null)
            throw new CodedError('UNREACHABLE', 'the process that walks the music folder ended')
          const message = walkMessage.parse(said)
          isDone = message.done
          yield message
          if (isDone) return
          child.send('more')
          said = await child.next(order.root, signal)
        }
      } finally {
        // One that was not done may hang in the kernel on a dead disk, where not even its end reaches it: nobody waits.
        if (isDone) keep(child)
        else child.end()
      }
    },
    [Symbol.dispose]: dismiss,
  }
}

interface Child {
  send(message: WalkOrder | 'more'): void
  /** What it says next, or null where it has ended. `root` is for the error. */
  next(root: string, signal: AbortSignal): Promise<unknown>
  end(): void
}

function startChild(): Child {
  const child = startConfined(new URL('walk-child.ts', import.meta.url), { niceness: 5 })
  const messages: unknown[] = []
  let hasEnded = false
  let wake = () => {}
  child.on('message', (message) => {
    messages.push(message)
    wake()
  })
  child.on('error', () => child.kill('SIGKILL'))
  child.once('close', () => {
    hasEnded = true
    wake()
  })
  // Whoever waits for its words has a timer, and an idle one holds up no end.
  child.unref()
  child.channel?.unref()

  return {
    send: (message) => void child.send(message, () => {}),
    async next(root, signal) {
      const abort = () => wake()
      signal.addEventListener('abort', abort)
      try {
        while (messages.length === 0 && !hasEnded && !signal.aborted) {
          const timer = setTimeout(() => wake(), silenceMs)
          const startedAt = performance.now()
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          clearTimeout(timer)
          if (messages.length === 0 && performance.now() - startedAt >= silenceMs)
            throw new CodedError('TIMED_OUT', root)
        }
        signal.throwIfAborted()
        return messages.shift() ?? null
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    end: () => void child.kill('SIGKILL'),
  }
}
