import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoCluster } from './cluster.ts'
import { startListeners } from './listeners.ts'
import type { Machine } from './machine.ts'
import { startWriter } from './writer.ts'

/** What came of killing machines while people listened and wrote. */
export interface Verdict {
  readonly kills: number
  /** How often music stood still. */
  readonly underruns: number
  /** Whether all that was heard, and every song at every gateway afterwards, is the original byte for byte. */
  readonly identical: boolean
  /** From the failure of one answer to the first byte of the next; null where no listener had to change over. */
  readonly changeoverMs: { readonly p50: number | null; readonly p99: number | null }
  readonly writesAcknowledged: number
  /** Of the acknowledged ones: those that a gateway does not know afterwards. */
  readonly writesLost: number
}

export interface Song {
  readonly id: string
  readonly hash: string
  readonly bytes: number
}

export const isGood = ({ underruns, identical, writesLost }: Verdict): boolean =>
  underruns === 0 && identical && writesLost === 0

/** Kills `kills` times, in turn a machine that is serving a listener and the one whose etcd leads. */
export async function check(
  cluster: DemoCluster,
  { kills, seconds }: { readonly kills: number; readonly seconds: number },
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<Verdict> {
  const songs = await songsOf(cluster)
  const ending = new AbortController()
  const either = AbortSignal.any([signal, ending.signal])
  const listeners = startListeners(cluster, songs, seconds, either)
  const writer = startWriter(cluster, either)
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const serving = await listeners.servedInMidStream()
      const isForLeader = kill % 2 === 0
      const machine = isForLeader ? await cluster.leader() : serving
      tell(
        `Kill ${kill} of ${kills}: ${machine.name} (${isForLeader ? 'its etcd leads' : 'it serves a listener'}) …`,
      )
      await machine.cut()
      await cluster.missed(machine)
      await machine.start()
      await cluster.whole()
    }
    tell('All are there again. The listeners hear the last songs to their end …')
    const [heard, acknowledged] = await Promise.all([listeners.finish(), writer.finish()])
    tell('Comparing every song and every write at every gateway …')
    const sound = await Promise.all(cluster.machines.map((machine) => isSound(cluster, machine, songs)))
    return {
      kills,
      underruns: heard.underruns,
      identical: heard.identical && sound.every(Boolean),
      changeoverMs: { p50: percentile(heard.changeovers, 0.5), p99: percentile(heard.changeovers, 0.99) },
      writesAcknowledged: acknowledged.size,
      writesLost: await writer.lost(acknowledged),
    }
  } finally {
    ending.abort()
    await Promise.allSettled([listeners.finish(), writer.finish()])
  }
}

async function songsOf({ tracks, music }: DemoCluster): Promise<readonly Song[]> {
  return await Promise.all(
    tracks.map(async ({ id, track, title }) => {
      const original = await readFile(join(music, `${track} ${title}.wav`))
      return { id, hash: sha256(original), bytes: original.length }
    }),
  )
}

async function isSound(cluster: DemoCluster, machine: Machine, songs: readonly Song[]): Promise<boolean> {
  const client = cluster.at(machine)
  for (const { id, hash } of songs) {
    const response = await client.fetch(`/api/tracks/${id}/audio`)
    if (!response.ok || sha256(Buffer.from(await response.arrayBuffer())) !== hash) return false
  }
  return true
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The smallest value that so large a share of them does not exceed. */
function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return value === undefined ? null : Math.round(value)
}
