import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** Someone who listens to a file at its pace, from whichever gateway answers, and notes what the ear would. */
export interface ListenOptions {
  /** Origins, in the order in which they are tried. */
  readonly gateways: readonly string[]
  readonly path: string
  readonly token: string
  /** How fast the music is consumed. */
  readonly bytesPerSecond: number
  /** How much is fetched ahead; 10 s unless told. */
  readonly bufferSeconds?: number
  /** Told which gateway serves, whenever that changes. */
  readonly onServedBy?: (gateway: string) => void
  /** Told whenever bytes come while so much is fetched ahead that a changeover need not be heard. */
  readonly onAhead?: () => void
  readonly signal: AbortSignal
}

export interface Heard {
  readonly bytes: number
  /** The SHA-256 of all that was heard, in hexadecimal. */
  readonly hash: string
  /** How often the music stood still after it had begun. */
  readonly underruns: number
  /** From the failure of one answer to the first byte of the next, in milliseconds. */
  readonly changeovers: readonly number[]
}

/** No byte for this long, though one is asked for: the gateway is as good as dead. */
const silenceMs = 1_000
/** What is asked for at once, as apps do; the system's buffers would take a whole song from one answer. */
const pieceBytes = 512 * 1_024
/** A listener who has so many seconds ahead has got through the start of a song. */
const aheadSeconds = 3
/** How long until everything has failed for good. */
const patienceMs = 60_000

export async function listen(options: ListenOptions): Promise<Heard> {
  const { gateways, path, token, bytesPerSecond, bufferSeconds = 10, onServedBy, onAhead, signal } = options
  const hash = createHash('sha256')
  const ear = createEar(bytesPerSecond)
  const changeovers: number[] = []
  let received = 0
  let size = Number.POSITIVE_INFINITY
  let at = 0
  let failedAt: number | undefined

  while (received < size) {
    signal.throwIfAborted()
    const gateway = gateways[at % gateways.length] ?? ''
    try {
      await readFrom(gateway)
    } catch (error) {
      signal.throwIfAborted()
      failedAt ??= performance.now()
      if (performance.now() - failedAt > patienceMs) throw error
      at += 1
      if (at % gateways.length === 0) await pause(100, undefined, { signal })
    }
  }
  await ear.finish(received, signal)
  return { bytes: received, hash: hash.digest('hex'), underruns: ear.underruns, changeovers }

  async function readFrom(gateway: string): Promise<void> {
    const from = received
    const silence = new AbortController()
    const expect = () => setTimeout(() => silence.abort(new Error(`${gateway} is silent`)), silenceMs)
    let timer = expect()
    try {
      const response = await fetch(gateway + path, {
        headers: {
          authorization: `Bearer ${token}`,
          range: `bytes=${received}-${received + pieceBytes - 1}`,
        },
        signal: AbortSignal.any([signal, silence.signal]),
      })
      if (response.status !== 206) throw new Error(`${gateway} answered ${response.status}`)
      size = Number(response.headers.get('content-range')?.split('/')[1])
      for await (const chunk of response.body ?? []) {
        if (failedAt !== undefined) changeovers.push(performance.now() - failedAt)
        failedAt = undefined
        onServedBy?.(gateway)
        hash.update(chunk)
        received += chunk.byteLength
        ear.arrived(received)
        if (ear.aheadSeconds(received) >= aheadSeconds) onAhead?.()
        clearTimeout(timer)
        await ear.untilWanted(received, bufferSeconds, signal)
        timer = expect()
      }
    } finally {
      clearTimeout(timer)
    }
    if (received < Math.min(size, from + pieceBytes)) throw new Error(`${gateway} ended the answer early`)
  }
}

/** Plays at its pace what has arrived, and counts how often nothing was left. */
function createEar(bytesPerSecond: number) {
  let played = 0
  let arrivedBytes = 0
  let playingSince: number | undefined
  let underruns = 0

  /** Moves the music on to now. */
  function tick(): void {
    if (playingSince === undefined) return
    const now = performance.now()
    played += ((now - playingSince) / 1_000) * bytesPerSecond
    playingSince = now
    if (played <= arrivedBytes) return
    played = arrivedBytes
    playingSince = undefined
    underruns += 1
  }

  function aheadSeconds(total: number): number {
    tick()
    return (total - played) / bytesPerSecond
  }

  return {
    get underruns() {
      return underruns
    },
    arrived(total: number) {
      tick()
      arrivedBytes = total
      playingSince ??= performance.now()
    },
    aheadSeconds,
    /** Until less than so much is fetched ahead. */
    async untilWanted(total: number, seconds: number, signal: AbortSignal) {
      const surplus = aheadSeconds(total) - seconds
      if (surplus > 0) await pause(surplus * 1_000, undefined, { signal })
    },
    /** The end of the music is no underrun. */
    async finish(total: number, signal: AbortSignal) {
      tick()
      const left = Math.max(0, ((total - played) / bytesPerSecond) * 1_000 - 5)
      if (playingSince !== undefined) await pause(left, undefined, { signal })
    },
  }
}
