import { listen } from '../../test/harness/listener.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { Song } from './check.ts'
import type { DemoCluster } from './cluster.ts'
import type { Machine } from './machine.ts'

export interface Listeners {
  /** Waits until a listener, each in its turn, is being sent a song, and answers by whom. */
  servedInMidStream(): Promise<Machine>
  /** Lets each hear its song to the end. */
  finish(): Promise<HeardByAll>
}

export interface HeardByAll {
  readonly underruns: number
  readonly identical: boolean
  readonly changeovers: readonly number[]
}

/** As much as a player fetches ahead. */
const bufferSeconds = 10
/** A kill is to find a full buffer, and something that is still to be sent. */
const spareSeconds = 2

/** One listener at home at each machine, who goes to the others when that does not answer, and hears one song after another. */
export function startListeners(
  cluster: DemoCluster,
  songs: readonly Song[],
  seconds: number,
  signal: AbortSignal,
): Listeners {
  const { machines } = cluster
  const last = new AbortController()
  const listeners = machines.map((_machine, at) => startListener(at))
  const all = Promise.all(listeners.map(({ heard }) => heard))
  // Whoever asks for the result learns of it; until then it is no unhandled rejection.
  all.catch(() => undefined)
  let turn = 0

  function startListener(at: number) {
    const order = [...machines.slice(at), ...machines.slice(0, at)]
    const [home] = order
    let current: { readonly since: number; by?: Machine | undefined } = { since: 0 }
    const heard = hear()
    return { heard, current: () => current }

    async function hear(): Promise<HeardByAll> {
      let underruns = 0
      let identical = true
      const changeovers: number[] = []
      for (let number = at; !last.signal.aborted; number++) {
        const song = songs[number % songs.length]
        if (song === undefined || home === undefined) break
        const now: typeof current = { since: performance.now() }
        current = now
        const one = await listen({
          gateways: order.map(({ url }) => url),
          path: `/api/tracks/${song.id}/audio`,
          token: cluster.at(home).token,
          bytesPerSecond: song.bytes / seconds,
          bufferSeconds,
          onServedBy: (gateway) => {
            now.by = machines.find(({ url }) => url === gateway)
          },
          signal,
        })
        underruns += one.underruns
        identical &&= one.hash === song.hash
        changeovers.push(...one.changeovers)
      }
      return { underruns, identical, changeovers }
    }
  }

  return {
    async servedInMidStream() {
      const listener = listeners[turn++ % listeners.length]
      return await waitFor(
        () => {
          const { since, by } = listener?.current() ?? { since: 0 }
          const elapsed = (performance.now() - since) / 1_000
          return elapsed > spareSeconds && elapsed < seconds - bufferSeconds - spareSeconds && by
        },
        { what: 'a listener in mid-stream', signal },
      )
    },
    async finish() {
      last.abort()
      const each = await all
      return {
        underruns: each.reduce((sum, { underruns }) => sum + underruns, 0),
        identical: each.every(({ identical }) => identical),
        changeovers: each.flatMap(({ changeovers }) => changeovers),
      }
    },
  }
}
