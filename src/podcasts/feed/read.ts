import type { ChildProcess } from 'node:child_process'
import { startConfined } from '../../children/confined.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { FeedHead, FeedItem } from '../../protocol/facts/podcasts.ts'
import { answer, type Question } from './messages.ts'
import type { Feed } from './parse.ts'

/** The largest feed takes a second; what takes longer is an attack. Milliseconds, the start of the process included. */
const deadlineMs = 30_000

/**
 * Reads a feed, which comes in pieces, in a child process that may crash (law S1). FEED_UNREADABLE where it is none, or takes too much time or
 * memory; the signal's reason.
 */
export async function readFeed(
  pieces: readonly Uint8Array[],
  question: Question,
  signal: AbortSignal,
): Promise<Feed> {
  signal.throwIfAborted()
  const child = startConfined(new URL('child.ts', import.meta.url), { niceness: 10, hasInput: true })
  const deadline = AbortSignal.timeout(deadlineMs)
  const kill = () => child.kill('SIGKILL')
  const either = AbortSignal.any([signal, deadline])
  either.addEventListener('abort', kill, { once: true })
  try {
    return await listen(child, pieces, question)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    either.removeEventListener('abort', kill)
    kill()
  }
}

function listen(child: ChildProcess, pieces: readonly Uint8Array[], question: Question): Promise<Feed> {
  const { promise, resolve, reject } = Promise.withResolvers<Feed>()
  let head: FeedHead = {}
  const items: FeedItem[] = []
  const refuse = (detail: string) => reject(new CodedError('FEED_UNREADABLE', detail))
  child.on('message', (message) => {
    const said = answer.safeParse(message)
    if (!said.success) return refuse('what it says makes no sense')
    if (said.data.kind === 'none') refuse(said.data.detail)
    else if (said.data.kind === 'head') head = said.data.head
    else if (said.data.kind === 'items') items.push(...said.data.items)
    else resolve({ head, items })
  })
  child.on('error', () => refuse('no process could be started for it'))
  child.once('close', () => refuse('reading it took too much time or memory'))
  // One that has died is met by its `close`.
  child.stdin?.on('error', () => undefined)
  child.send(question, (error) => error && refuse('its process ended'))
  for (const piece of pieces) child.stdin?.write(piece)
  child.stdin?.end()
  return promise
}
