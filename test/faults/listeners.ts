import { listen } from '../harness/listener.ts'

/** A song as it is on the disk of whoever has it. */
export interface Song {
  readonly id: string
  readonly hash: string
}

export interface Heard {
  songs: number
  bytes: number
  underruns: number
  /** Songs that were not the original byte for byte. */
  wrong: number
  readonly changeovers: number[]
}

export interface ListenerOptions {
  readonly gateways: () => readonly string[]
  readonly token: string
  readonly songs: readonly Song[]
  readonly random: () => number
  readonly heard: Heard
  /** Ends the listener at once. */
  readonly ended: AbortSignal
}

/** 320 kbit/s. */
const bytesPerSecond = 40_000
/** A listener gives up a song for which nobody has had a byte for so long, in milliseconds. */
const patienceMs = 180_000

/** Someone who hears one song after another at its pace, each from another gateway first, and goes to the next when that fails. */
export async function runListener(options: ListenerOptions): Promise<void> {
  const { token, songs, random, heard, ended } = options
  while (!ended.aborted) {
    const song = songs[Math.floor(random() * songs.length)]
    if (song === undefined) return
    const gateways = options.gateways()
    const first = Math.floor(random() * gateways.length)
    try {
      const one = await listen({
        gateways: [...gateways.slice(first), ...gateways.slice(0, first)],
        path: `/api/tracks/${song.id}/audio`,
        token,
        bytesPerSecond,
        signal: AbortSignal.any([ended, AbortSignal.timeout(patienceMs)]),
      })
      heard.songs += 1
      heard.bytes += one.bytes
      heard.underruns += one.underruns
      heard.changeovers.push(...one.changeovers)
      if (one.hash !== song.hash) heard.wrong += 1
    } catch (error) {
      if (!ended.aborted) throw error
    }
  }
}

/** The smallest value that so large a share of them does not exceed; null where there are none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return value === undefined ? null : Math.round(value)
}
