import { fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { CodedError } from '../../protocol/errors.ts'
import { type WalkMessage, type WalkOrder, walkMessage } from './messages.ts'

/** A disk that answers nothing for so long is taken for gone. */
const silenceMs = 60_000

/**
 * Has a process walk the folders, and yields what it says. Ends with the message that is `done`. Throws TIMED_OUT where
 * the disk does not answer, UNREACHABLE where the process dies, and the signal's reason.
 */
export async function* startWalk(order: WalkOrder, signal: AbortSignal): AsyncGenerator<WalkMessage> {
  signal.throwIfAborted()
  const child = fork(new URL('walk-child.ts', import.meta.url), {
    execArgv: [
      '--permission',
      '--allow-fs-read=*',
      '--disable-warning=SecurityWarning',
      '--disable-warning=ExperimentalWarning',
    ],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const messages: unknown[] = []
  let ended = false
  let wake = () => {}
  child.on('message', (message) => {
    messages.push(message)
    wake()
  })
  child.on('error', () => child.kill('SIGKILL'))
  child.once('close', () => {
    ended = true
    wake()
  })
  const abort = () => wake()
  signal.addEventListener('abort', abort)
  try {
    if (child.pid !== undefined) setPriority(child.pid, 5)
  } catch {
    // It has ended already, which is seen below.
  }
  try {
    child.send(order)
    for (;;) {
      while (messages.length === 0 && !ended && !signal.aborted) {
        const timer = setTimeout(() => wake(), silenceMs)
        const startedAt = performance.now()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        clearTimeout(timer)
        if (messages.length === 0 && performance.now() - startedAt >= silenceMs)
          throw new CodedError('TIMED_OUT', order.root)
      }
      signal.throwIfAborted()
      if (messages.length === 0)
        throw new CodedError('UNREACHABLE', 'the process that walks the music folder ended')
      const message = walkMessage.parse(messages.shift())
      yield message
      if (message.done) return
      if (!ended) child.send('more', () => {})
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // It may hang in the kernel on a dead disk, where not even this reaches it: nobody waits for its end.
    child.kill('SIGKILL')
    child.unref()
  }
}
