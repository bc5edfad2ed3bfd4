import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { createEndpoint } from '../../src/store/etcd/endpoint.ts'
import { openEtcdStore } from '../../src/store/etcd/etcd.ts'
import { openMembership } from '../../src/store/etcd/members.ts'
import { put, transaction } from '../../src/store/etcd/messages.ts'
import { methods } from '../../src/store/etcd/methods.ts'
import { moveFacts } from '../../src/store/move.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { type EtcdCluster, startEtcdCluster } from '../../test/harness/etcd.ts'

/** What does the store on etcd cost beside etcd itself, and how large is a catalog in it? See README.md. */
const { values } = parseArgs({
  options: {
    tracks: { type: 'string', multiple: true, default: ['100000', '1000000'] },
    seconds: { type: 'string', default: '5' },
  },
})
const run = promisify(execFile)
const seconds = Number(values.seconds)
const value = Buffer.alloc(256, 'x')

/** The flags that matter here, as `src/node/etcd/flags.ts` has them; and the disk is written to in earnest. */
const flags = [
  '--snapshot-count=2000',
  '--max-request-bytes=8388608',
  '--quota-backend-bytes=8589934592',
  '--heartbeat-interval=200',
  '--election-timeout=2000',
  '--pre-vote=true',
]

const writes = await measureWrites()
console.table(writes)
const catalogs = []
for (const tracks of values.tracks) catalogs.push(await measureCatalog(Number(tracks)))
console.table(catalogs)
const answer = {
  question: 'store',
  at: new Date().toISOString(),
  machine: {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memory: totalmem(),
    node: process.version,
    load: loadavg(),
  },
  goals: { tracksPerSecond: 5_000, databaseMegabytes: 1_074, memberMegabytes: 2_147 },
  writes,
  catalogs,
}
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** Writes of 256 bytes a second: by a bare gRPC client, through our port under a condition, and by etcd's own check. */
async function measureWrites() {
  await using etcd = await startEtcdCluster({ members: 3, durable: true, flags })
  const [url = ''] = etcd.endpoints
  const endpoint = createEndpoint(url, undefined)
  await using store = await openEtcdStore({ endpoints: etcd.endpoints })
  const signal = new AbortController().signal
  const bare = async (key: string) => {
    await endpoint.unary(methods.transaction, transaction([], [put(key, value, 0n)]), {
      deadline: 30_000,
      signal,
    })
  }
  const ours = async (key: string) => {
    await store.commit({ conditions: [{ key, revision: 0 }], writes: [{ key, value }] })
  }
  const rows: Record<string, { bare: number; ours: number; share: number }> = {}
  for (const clients of [1, 64, 256]) {
    // In turns, so that what else the machine does falls on both.
    const counts = { bare: 0, ours: 0 }
    for (let turn = 0; turn < 3; turn += 1) {
      counts.bare += await rate(`bare/${clients}/${turn}`, clients, bare)
      counts.ours += await rate(`ours/${clients}/${turn}`, clients, ours)
    }
    rows[`${clients} at once`] = {
      bare: Math.round(counts.bare / 3),
      ours: Math.round(counts.ours / 3),
      share: Math.round((100 * counts.ours) / counts.bare) / 100,
    }
  }
  endpoint.close()
  return { ...rows, etcdctl: await checkPerf(etcd) }
}

async function rate(name: string, clients: number, write: (key: string) => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  const end = startedAt + (seconds * 1_000) / 3
  let written = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let number = 0; performance.now() < end; number += 1) {
        await write(`${name}/${client}/${number}`)
        written += 1
      }
    }),
  )
  return written / ((performance.now() - startedAt) / 1_000)
}

/** Up to 8,000 writes a second by 500 clients for a minute; etcd says how many it were. */
async function checkPerf(etcd: EtcdCluster): Promise<string> {
  const args = [`--endpoints=${etcd.endpoints.join(',')}`, 'check', 'perf', '--load=l']
  const { stdout } = await run('etcdctl', args, { env: { ...process.env, ETCDCTL_API: '3' } }).catch(
    // It exits with 1 where the rate is below what it hopes for, and says the rate all the same.
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? 'etcdctl is not installed' }),
  )
  return stdout
    .split('\n')
    .filter((line) => /Throughput|Slowest|Stddev|installed/.test(line))
    .join('; ')
}

/** Moves a made-up catalog from SQLite into etcd. */
async function measureCatalog(tracks: number) {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-bench-'))
  try {
    const filler = join(import.meta.dirname, '..', 'catalog', 'fill.ts')
    await run(process.execPath, [filler, folder, String(tracks)])
    await using etcd = await startEtcdCluster({ members: 3, durable: true, flags })
    await using from = await openSqliteStore(join(folder, 'store.db'))
    await using to = await openEtcdStore({ endpoints: etcd.endpoints })
    const startedAt = performance.now()
    let copied = 0
    const moved = await moveFacts({
      from,
      to,
      source: 'retired',
      progress(step) {
        if (step === 'copied') copied = performance.now()
      },
    })
    const took = performance.now() - startedAt
    const listed = await timeList(to)
    using membership = openMembership({ endpoints: etcd.endpoints })
    const statuses = await Promise.all(etcd.members.map((member) => membership.status(member.clientUrl)))
    const memory = await Promise.all(etcd.members.map((member) => residentMegabytes(member.pid())))
    return {
      tracks,
      facts: moved.facts,
      'copied, tracks/s (goal 5,000)': Math.round(tracks / ((copied - startedAt) / 1_000)),
      'copied, verified and handed over, tracks/s': Math.round(tracks / (took / 1_000)),
      'database, MB (goal 1,074)': Math.round(Math.max(...statuses.map((status) => status.size)) / 1e6),
      'memory of a member, MB (goal 2,147)': Math.max(...memory),
      'all listed, s': Math.round(listed / 100) / 10,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function timeList(store: Store): Promise<number> {
  const startedAt = performance.now()
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await store.list('', after === undefined ? {} : { after })
    after = page.entries.at(-1)?.key
    more = page.more
  }
  return performance.now() - startedAt
}

/** The most that the process had in memory so far. */
async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) / 1_000)
}
