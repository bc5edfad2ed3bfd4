import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { afterSilence } from './patience.ts'
import { splitAddress } from './trust/join-line.ts'

export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | AsyncIterable<Uint8Array> | undefined
  readonly repeatable: boolean
}

export interface Target {
  readonly agent: Agent
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
export async function exchange(target: Target, outgoing: Outgoing, limits: Limits): Promise<IncomingMessage> {
  const end = performance.now() + limits.deadlineMs
  let mayRepeat = outgoing.repeatable
  let last: unknown = new Error('it has no address')
  for (const address of [...target.addresses]) {
    for (let again = true; again; ) {
      again = false
      const attempt = begin(target.agent, address, outgoing)
      const left = Math.max(1, end - performance.now())
      try {
        const isLast = address === target.addresses.at(-1)
        const answer = await attempt.answer(left, isLast ? left : Math.min(left, connectMs), limits.signal)
        target.addresses = [address, ...target.addresses.filter((other) => other !== address)]
        return answer
      } catch (error) {
        last = error
        limits.signal?.throwIfAborted()
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
function begin(agent: Agent, address: string, { method, path, headers, body }: Outgoing) {
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
    wasConnected: () => connected,
    wasKept: () => sent.reusedSocket,
    answer(deadlineMs: number, connectDeadlineMs: number, signal: AbortSignal | undefined) {
      return new Promise<IncomingMessage>((resolve, reject) => {
        const aborted = () => sent.destroy(new Error('aborted'))
        const heard = afterSilence(deadlineMs, () =>
          sent.destroy(new Error(`no answer in ${Math.round(deadlineMs)} ms`)),
        )
        const unconnected = setTimeout(() => {
          if (!connected) sent.destroy(new Error('no connection'))
        }, connectDeadlineMs)
        const settle = () => {
          heard()
          clearTimeout(unconnected)
          signal?.removeEventListener('abort', aborted)
        }
        signal?.addEventListener('abort', aborted)
        sent.once('response', (answer) => {
          settle()
          resolve(answer)
        })
        // It stays for what comes after the answer has begun; the answer itself tells of that.
        sent.on('error', (error) => {
          settle()
          reject(error)
        })
      })
    },
  }
}
