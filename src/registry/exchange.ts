import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { type Attempt, type Incoming, inTime, type Outgoing } from './attempt.ts'
import type { Bulk } from './bulk.ts'
import { piecesOf } from './pieces.ts'
import { splitAddress } from './trust/address.ts'

export interface Target {
  readonly agent: Agent
  readonly bulk: Bulk
  /** Tried in turn; the one that worked is put first. */
  addresses: string[]
}

interface Limits {
  /** Until the answer begins, in milliseconds. */
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
}

/** How long one address may take to accept a connection where there are others to try, in milliseconds. */
const connectMs = 1_000

/** One request at one of the addresses, until its answer begins. Throws whatever kept it from that. */
export async function exchange(target: Target, outgoing: Outgoing, limits: Limits): Promise<Incoming> {
  const { signal } = limits
  const end = performance.now() + limits.deadlineMs
  const begin = (address: string) =>
    outgoing.bulk ? target.bulk.begin(address, outgoing) : beginOverHttp(target.agent, address, outgoing)
  let mayRepeat = outgoing.repeatable
  let last: unknown = new Error('it has no address')
  for (const address of [...target.addresses]) {
    for (let again = true; again; ) {
      again = false
      const attempt = begin(address)
      const deadlineMs = Math.max(1, end - performance.now())
      const isLast = address === target.addresses.at(-1)
      try {
        const answer = await inTime(attempt, {
          deadlineMs,
          connectMs: isLast ? deadlineMs : Math.min(deadlineMs, connectMs),
          signal,
        })
        target.addresses = [address, ...target.addresses.filter((other) => other !== address)]
        return answer
      } catch (error) {
        last = error
        signal?.throwIfAborted()
        if (performance.now() >= end) throw error
        // The other side may have closed a kept connection in the moment in which it was used again.
        again = mayRepeat && attempt.wasKept()
        if (again) mayRepeat = false
        else if (attempt.wasConnected()) throw error
      }
    }
  }
  throw last
}

/** Sends a request; what was sent to somebody must not be sent to another address as well. */
function beginOverHttp(agent: Agent, address: string, outgoing: Outgoing): Attempt {
  const { method, path, headers, body } = outgoing
  let connected = false
  const sent: ClientRequest = httpsRequest({ ...splitAddress(address), agent, method, path, headers })
  sent.on('socket', (socket) => {
    // A kept connection is not told of again, and would gather the listeners of all who use it.
    connected = sent.reusedSocket
    if (connected) return
    socket.once('secureConnect', () => {
      connected = true
    })
  })
  if (body === undefined || typeof body === 'string') sent.end(body)
  else {
    const source = Readable.from(body)
    source.on('error', (error) => sent.destroy(error))
    sent.on('close', () => source.destroy())
    source.pipe(sent)
  }
  return {
    answered: new Promise((resolve, reject) => {
      sent.once('response', (answer) => resolve(incoming(answer)))
      // It stays for what comes after the answer has begun; the answer itself tells of that.
      sent.on('error', reject)
    }),
    wasConnected: () => connected,
    wasKept: () => sent.reusedSocket,
    destroy: (error) => void sent.destroy(error),
  }
}

function incoming(answer: IncomingMessage): Incoming {
  // Where it breaks off before anybody reads it, the reader hears of it.
  answer.on('error', () => undefined)
  return {
    status: answer.statusCode ?? 500,
    headers: answer.headers,
    pieces: () => piecesOf(answer),
    isComplete: () => answer.complete,
    destroy: (error) => void answer.destroy(error),
    leave: () => void (answer.complete ? answer.resume() : answer.destroy()),
    onClose: (listener) => void answer.once('close', listener),
  }
}
