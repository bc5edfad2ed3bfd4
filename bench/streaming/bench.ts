/**
 * How well does a node serve audio? Three answers: ranges against nginx per second of processor time; what a thousand
 * paced listeners cost while others search; and how soon the first byte of a track comes that was not played before.
 */
import { execFile } from 'node:child_process'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { page, trackSummary } from '../../src/protocol/api/catalog.ts'
import type { Client } from '../../test/harness/client.ts'
import { startNode, type TestNode } from '../../test/harness/node.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { firstBytes } from './first-byte.ts'
import { cpuSeconds, machine, quantile, residentMegabytes } from './machine.ts'
import { startNginx } from './nginx.ts'

const music = '/usr/share/games/wesnoth/1.16/data/core/music'
const rangeBytes = 256 * 1_024
const connections = 32
const listeners = 1_000
const rounds = 3

interface Target {
  readonly path: string
  readonly size: number
}

const loaded = z.object({
  bytes: z.number(),
  requests: z.number(),
  failures: z.number(),
  seconds: z.number(),
})
const paced = z.object({
  bytes: z.number(),
  late: z.number(),
  failures: z.number(),
  latencies: z.array(z.number()),
})
const folder = import.meta.dirname
const run = promisify(execFile)

const stored = await firstBytes(music)
await using node = await startNode({ music: [music] })
const ada = await node.administrator()
const tracks = await hashedTracks(ada)
const answer = {
  at: new Date().toISOString(),
  machine: machine(),
  firstByte: { stored, converted: await convertedBytes() },
  ranges: await ranges(),
  paced: await thousand(),
}
print()
await writeFile(join(folder, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** Every track, once all are hashed: from then on each block is compared with its sum before it is sent. */
async function hashedTracks(client: Client) {
  await waitFor(
    async () => {
      const { body } = await client.get('/api/scan')
      const { phase, finishedAt } = z
        .object({ phase: z.string(), finishedAt: z.number().optional() })
        .parse(body)
      return (phase === 'idle' && finishedAt !== undefined) || undefined
    },
    { what: 'the music to be scanned and hashed', deadline: 180_000 },
  )
  return page(trackSummary).parse((await client.get('/api/tracks?limit=500')).body).items
}

/** Milliseconds until the first byte of each track, converted to Opus. */
async function convertedBytes() {
  const measure = async (path: string): Promise<number> => {
    const begin = performance.now()
    const response = await ada.fetch(path)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    const milliseconds = performance.now() - begin
    if (!response.ok || first?.done !== false) throw new Error(`${path} answered ${response.status}`)
    await reader?.cancel()
    return milliseconds
  }
  const times: number[] = []
  for (const { id } of tracks) {
    times.push(await measure(`/api/tracks/${id}/transcode?format=opus&bitrate=128`))
    await idle()
  }
  const [cold = 0, ...warm] = times
  return { cold, p50: quantile(warm, 0.5), p99: quantile(warm, 0.99) }
}

/** Waits until the spare converter has loaded, as it has between two tracks that a person plays. */
async function idle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 400))
}

async function ranges() {
  await using nginx = await startNginx(music)
  const own = tracks.map(({ id, size }) => ({ path: `/api/tracks/${id}/audio`, size })).filter(isLarge)
  const files = await Promise.all(
    (await readdir(music)).map(async (name) => ({
      path: `/${name}`,
      size: (await stat(join(music, name))).size,
    })),
  )
  const port = Number(new URL(node.baseUrl).port)
  const hocket: number[] = []
  const other: number[] = []
  // Unmeasured: V8 compiles what is run often only after a while, and at first that is a third of the time.
  for (let round = 0; round < rounds; round += 1) await perCpuSecond(port, node.pid, own, ada.token)
  for (let round = 0; round < rounds; round += 1) {
    other.push(await perCpuSecond(nginx.port, nginx.pid, files.filter(isLarge)))
    hocket.push(await perCpuSecond(port, node.pid, own, ada.token))
    other.push(await perCpuSecond(nginx.port, nginx.pid, files.filter(isLarge)))
  }
  const megabytesPerCpuSecond = { hocket: quantile(hocket, 0.5), nginx: quantile(other, 0.5) }
  return { megabytesPerCpuSecond, ratio: megabytesPerCpuSecond.hocket / megabytesPerCpuSecond.nginx }
}

function isLarge({ size }: Target): boolean {
  return size >= rangeBytes
}

async function perCpuSecond(
  port: number,
  pid: number,
  targets: readonly Target[],
  token = '',
): Promise<number> {
  const before = cpuSeconds(pid)
  const args = [port, connections, rangeBytes, 5, JSON.stringify(targets), token].map(String)
  const { stdout } = await run(process.execPath, [join(folder, 'load.ts'), ...args])
  const { bytes, failures } = loaded.parse(JSON.parse(stdout))
  if (failures > 0) throw new Error(`${failures} requests failed`)
  return bytes / 1e6 / (cpuSeconds(pid) - before)
}

/** A thousand listeners at 320 kbit/s, while someone searches. */
async function thousand() {
  const port = new URL(node.baseUrl).port
  const seconds = 30
  const searching = new AbortController()
  const searches = search(searching.signal)
  const before = cpuSeconds(node.pid)
  const args = [port, listeners, seconds, JSON.stringify(tracks.map(({ id, size }) => [id, size])), ada.token]
  const { stdout } = await run(process.execPath, [join(folder, 'paced.ts'), ...args.map(String)], {
    maxBuffer: 100_000_000,
  })
  const cores = (cpuSeconds(node.pid) - before) / seconds
  searching.abort()
  const { failures, late, latencies } = paced.parse(JSON.parse(stdout))
  return {
    listeners,
    failures,
    late,
    cores,
    latency: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    eventLoopDelayP99: await eventLoopDelay(node),
    searches: await searches,
    residentMegabytes: residentMegabytes(node.pid),
  }
}

async function search(signal: AbortSignal): Promise<number> {
  let count = 0
  const words = ['batt', 'north', 'elv', 'knal', 'wesn', 'the de', 'sieg']
  while (!signal.aborted) {
    await ada.get(`/api/search?q=${words[count % words.length]}`)
    count += 1
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return count
}

/** In milliseconds, as the node itself measures it. */
async function eventLoopDelay({ baseUrl }: TestNode): Promise<number> {
  const text = await (await ada.fetch(new URL('/metrics', baseUrl).href)).text()
  return Number(/^nodejs_eventloop_lag_p99_seconds\S* (\S+)$/m.exec(text)?.[1]) * 1_000
}

function print(): void {
  const ms = (value: number): string => `${value.toFixed(1)} ms`
  const { firstByte, ranges, paced } = answer
  console.table({
    'ranges, MB per CPU second': {
      hocket: ranges.megabytesPerCpuSecond.hocket.toFixed(0),
      'compared with': `nginx ${ranges.megabytesPerCpuSecond.nginx.toFixed(0)}, ratio ${ranges.ratio.toFixed(2)}`,
      goal: 'ratio ≥ 0.8',
    },
    '1,000 listeners, cores': { hocket: paced.cores.toFixed(2), goal: '≤ 0.5' },
    '1,000 listeners, event loop delay p99': { hocket: ms(paced.eventLoopDelayP99), goal: '≤ 20 ms' },
    '1,000 listeners, range latency p99': { hocket: ms(paced.latency.p99) },
    'first byte, as stored, p50': { hocket: ms(firstByte.stored.p50) },
    'first byte, as stored, p99': { hocket: ms(firstByte.stored.p99), goal: '≤ 20 ms' },
    'first byte of /livez meanwhile, p99': { hocket: ms(firstByte.stored.livez.p99) },
    'first byte, to Opus, p50': { hocket: ms(firstByte.converted.p50) },
    'first byte, to Opus, p99': { hocket: ms(firstByte.converted.p99) },
    'first byte, to Opus, after a pause': { hocket: ms(firstByte.converted.cold) },
  })
}
