import { waitFor } from '../../../test/harness/wait.ts'
import { type LiveMessage, liveMessage } from '../../protocol/api/live.ts'

/** A page that listens on the WebSocket. */
export interface TestListener extends Disposable {
  readonly messages: readonly LiveMessage[]
  /** Waits for a message; those that came before count as well. */
  expect(what: string, matches: (message: LiveMessage) => boolean): Promise<LiveMessage>
  /** Says something, which pages never do. */
  say(text: string): void
  /** The code with which the server closes the connection. */
  readonly closed: Promise<number>
}

/** Connects, or throws where the server refuses. */
export async function listen(baseUrl: string, headers: Record<string, string>): Promise<TestListener> {
  const socket = new WebSocket(new URL('/api/live', baseUrl.replace(/^http/, 'ws')), { headers })
  const messages: LiveMessage[] = []
  const closed = Promise.withResolvers<number>()
  socket.addEventListener('message', ({ data }) => {
    messages.push(liveMessage.parse(JSON.parse(String(data))))
  })
  socket.addEventListener('close', ({ code }) => closed.resolve(code))
  const opened = Promise.withResolvers<void>()
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () => opened.reject(new Error('the server refused')))
  await opened.promise
  return {
    messages,
    closed: closed.promise,
    expect: (what, matches) => waitFor(() => messages.find(matches), { what }),
    say: (text) => socket.send(text),
    [Symbol.dispose]: () => socket.close(),
  }
}
