import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { z } from 'zod'
import { broadcastAddresses, broadcastPort, type Hint, hint, type Scope } from './hint.ts'

/**
 * Discovery for networks that drop multicast, as many wireless ones do: a question as a UDP broadcast, an answer to
 * whoever asked. A question is padded to the length of an answer, so that nobody's answers are worth provoking in
 * another's name.
 */
const question = z.object({ hocket: z.literal('who is there'), padding: z.string() })
const answer = z.object({ hocket: z.literal('here'), hint })
const longest = 1_200
/** Answers in any one second, to all together. */
const answersPerSecond = 20

export async function answerBroadcasts(
  self: () => Hint,
  scope: Scope,
  onError: (error: unknown) => void,
): Promise<AsyncDisposable> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  let second = 0
  let answers = 0
  socket.on('message', (message, { address, port }) => {
    if (message.length < longest || !read(message, question).success) return
    const now = Math.floor(performance.now() / 1_000)
    answers = now === second ? answers + 1 : 1
    second = now
    if (answers > answersPerSecond) return
    const text = Buffer.from(JSON.stringify({ hocket: 'here', hint: self() }))
    if (text.length <= longest) socket.send(text, port, address, (error) => error && onError(error))
  })
  await bind(socket, scope.port ?? broadcastPort)
  socket.on('error', onError)
  return { [Symbol.asyncDispose]: () => close(socket) }
}

/** Asks three times, since datagrams get lost, and tells of each answer until the signal ends it. */
export async function askByBroadcast(
  scope: Scope,
  found: (hint: Hint) => void,
  signal: AbortSignal,
): Promise<void> {
  const socket = createSocket({ type: 'udp4' })
  socket.on('message', (message) => {
    const parsed = read(message, answer)
    if (parsed.success) found(parsed.data.hint)
  })
  await bind(socket, 0)
  socket.on('error', () => undefined)
  socket.setBroadcast(true)
  const bare = JSON.stringify({ hocket: 'who is there', padding: '' })
  const text = JSON.stringify({ hocket: 'who is there', padding: ' '.repeat(longest - bare.length) })
  const ask = () => {
    for (const address of broadcastAddresses(scope.interface)) {
      // A network that takes no broadcast is one of several; the others may.
      socket.send(text, scope.port ?? broadcastPort, address, () => undefined)
    }
  }
  ask()
  const again = [300, 1_000].map((ms) => setTimeout(ask, ms))
  try {
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    for (const timer of again) clearTimeout(timer)
    await close(socket)
  }
}

async function bind(socket: Socket, port: number): Promise<void> {
  const listening = once(socket, 'listening')
  socket.bind(port)
  try {
    await listening
  } catch (error) {
    socket.close()
    throw error
  }
}

async function close(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()))
}

function read<Schema extends z.ZodType>(message: Buffer, schema: Schema) {
  let value: unknown
  try {
    value = JSON.parse(message.toString('utf8'))
  } catch {
    value = undefined
  }
  return schema.safeParse(value)
}
