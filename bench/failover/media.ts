import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { waitFor } from '../../test/harness/wait.ts'
import type { DemoCluster } from '../../tools/demo/cluster.ts'
import { startListeners } from '../../tools/demo/listeners.ts'
import type { Machine } from '../../tools/demo/machine.ts'
import { cut, kills, mend, quantiles, type Run, written } from './run.ts'

/** 320 kbit/s. */
const bytesPerSecond = 40_000
/** So long after a kill, in milliseconds, the reader goes on, so that whatever stood still is seen. */
const watchMs = 2_000
/** Nothing but what the reader gets makes a machine write so much so soon. */
const enoughBytes = 12_000_000

interface Song {
  readonly id: string
  readonly hash: string
  readonly bytes: number
}

/**
 * Kills the machine whose copy is read, while it is read. Listeners at their pace, one at home at each gateway, must notice
 * nothing. One more asks a gateway that has no copy for a song, again and again and as fast as it comes: only who always
 * waits for a byte can tell how long the change took.
 */
export async function killMedia(run: Run, most: number) {
  const { cluster, tell, signal } = run
  const songs = await songsOf(cluster)
  const changes: number[] = []
  let identical = 0
  const listeners = startListeners(cluster, songs, (songs[0]?.bytes ?? 0) / bytesPerSecond, signal)
  for (const kill of kills(run, most)) {
    const at = kill % songs.length
    const { song, gateway } = await apart(cluster, [...songs.slice(at), ...songs.slice(0, at)], signal)
    const reader = readWithoutPause(gateway, cluster.at(gateway).token, song, signal)
    const serving = await serverOf(cluster, gateway, signal)
    const killedAt = await cut(serving)
    await pause(watchMs, undefined, { signal })
    const read = await reader.stop()
    const change = read.longestSince(killedAt)
    await mend(cluster, serving)
    changes.push(change)
    if (read.identical) identical += 1
    tell(
      `${kill} of ${most}: ${serving.name} served ${gateway.name}; changed over in ${Math.round(change)} ms`,
    )
  }
  tell('The listeners hear their last songs to the end …')
  const heard = await listeners.finish()
  return {
    kills: changes.length,
    underruns: heard.underruns,
    identical,
    listenersIdentical: heard.identical,
    changeoverMs: quantiles(changes),
  }
}

async function songsOf({ tracks, music }: DemoCluster): Promise<readonly Song[]> {
  return await Promise.all(
    tracks.map(async ({ id, track, title }) => {
      const bytes = await readFile(join(music, `${track} ${title}.wav`))
      return { id, hash: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
    }),
  )
}

/** A song, and a machine that must ask another one for it: the first has all of them in its music folder. */
async function apart({ machines }: DemoCluster, songs: readonly Song[], signal: AbortSignal) {
  const find = async () => {
    for (const song of songs) {
      for (const gateway of machines.slice(1)) {
        const { hash } = song
        if (!existsSync(join(gateway.data, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash)))
          return { song, gateway }
      }
    }
    return null
  }
  // Copies from before all machines had joined are surplus, and go at leisure.
  return await waitFor(find, { what: 'a machine without a copy of some song', signal })
}

/** Which of the others sends what the reader gets. */
async function serverOf(cluster: DemoCluster, gateway: Machine, signal: AbortSignal): Promise<Machine> {
  const others = cluster.machines.filter((machine) => machine !== gateway)
  const sentSoFar = () => Promise.all(others.map(({ pid }) => written(pid)))
  const before = await sentSoFar()
  for (;;) {
    await pause(100, undefined, { signal })
    const now = await sentSoFar()
    const at = now.findIndex((sent, each) => sent - (before[each] ?? 0) > enoughBytes)
    const found = others[at]
    if (found !== undefined) return found
  }
}

/** Reads the song whole, again and again, and notes when bytes came. */
function readWithoutPause(gateway: Machine, token: string, song: Song, signal: AbortSignal) {
  const stopping = new AbortController()
  const waits: { readonly until: number; readonly ms: number }[] = []
  let identical = true
  const reading = (async () => {
    let last = performance.now()
    while (!stopping.signal.aborted) {
      const response = await fetch(`${gateway.url}/api/tracks/${song.id}/audio`, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      })
      const hash = createHash('sha256')
      for await (const bytes of response.body ?? []) {
        const now = performance.now()
        waits.push({ until: now, ms: now - last })
        last = now
        hash.update(bytes)
      }
      identical &&= hash.digest('hex') === song.hash
    }
  })()
  reading.catch(() => undefined)
  return {
    async stop() {
      stopping.abort()
      // What breaks an answer off would be heard.
      await reading.catch(() => {
        identical = false
      })
      return {
        identical,
        longestSince: (at: number) =>
          waits.reduce((longest, { until, ms }) => (until < at ? longest : Math.max(longest, ms)), 0),
      }
    },
  }
}
