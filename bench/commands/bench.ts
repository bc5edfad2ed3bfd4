/**
 * What do commands cost through a whole cluster? Three real nodes with their etcd: writes through the REST interface beside
 * what etcd itself says of the same members, a scan into the cluster, and a node that comes back after 1,000 changes.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { readMembership } from '../../src/node/cluster/membership.ts'
import { catalogCounts } from '../../src/protocol/api/catalog.ts'
import { makeCollection, makeMusicFolder } from '../../test/fixtures/make.ts'
import { type Client, client } from '../../test/harness/client.ts'
import { type ClusterNode, startCluster } from '../../test/harness/cluster.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { machine } from '../streaming/machine.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '10' },
    parts: { type: 'string', default: 'writes,etcd,scan,return' },
  },
})
const parts = values.parts.split(',')
const files = Number(values.files)
const seconds = Number(values.seconds)
const changes = 1_000
const restarts = 3

await using music = await makeMusicFolder()
await makeCollection(music, files)
await using cluster = await startCluster({ nodes: 3 })
await cluster.settled(3)
const clients = await Promise.all(cluster.nodes.map((node) => node.administrator()))
const [first] = clients
const away = cluster.nodes[2]
if (first === undefined || away === undefined) throw new Error('three nodes')

const answer: Record<string, unknown> = { at: new Date().toISOString(), machine: machine() }
if (parts.includes('writes')) {
  for (const writers of [1, 64, 256])
    await note(`writes a second through REST, ${writers} at once`, () => writesAtOnce(writers))
}
if (parts.includes('etcd')) await note('etcdctl check perf --load=l', () => checkPerf(cluster.nodes))
if (parts.includes('scan')) await note('scan', () => measureScan(first))
if (parts.includes('return')) {
  await note('from its start until it is ready, s', () => returnAfter(0))
  await note(`… ${changes} changes missed, s`, () => returnAfter(changes))
}

/** Each answer is shown and kept as it comes: what takes long can be seen, and what was found is not lost with it. */
async function note(question: string, work: () => Promise<unknown>): Promise<void> {
  const since = performance.now()
  answer[question] = await work()
  const took = (performance.now() - since) / 1_000
  console.log(`${question}: ${JSON.stringify(answer[question])} (${took.toFixed(1)} s)`)
  await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)
}

/** Playlists made in a second, by so many at once, shared between the gateways: each is one transaction. */
async function writesAtOnce(writers: number): Promise<number> {
  const since = performance.now()
  const end = since + seconds * 1_000
  let written = 0
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      // Each is a person of their own, who waits for what they wrote themselves and for nobody else's.
      const own = personAt(writer)
      while (performance.now() < end) {
        await makePlaylist(own)
        written += 1
      }
    }),
  )
  return Math.round(written / ((performance.now() - since) / 1_000))
}

function personAt(number: number): Client {
  const at = number % clients.length
  const node = cluster.nodes[at]
  const signedIn = clients[at]
  if (node === undefined || signedIn === undefined) throw new Error('three nodes')
  return client(node.node.baseUrl, signedIn.token)
}

async function makePlaylist(person: Client | undefined): Promise<void> {
  const response = await person?.fetch('/api/playlists', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'one more' }),
  })
  await response?.arrayBuffer()
  if (response?.status !== 201) throw new Error(`a playlist was answered with ${response?.status}`)
}

/** Up to 8,000 writes a second by 500 clients for a minute, on the members that serve the cluster. */
async function checkPerf(nodes: readonly ClusterNode[]): Promise<string> {
  const identity = await readMembership(nodes[0]?.data ?? '')
  if (identity === null) throw new Error('no cluster')
  const folder = await mkdtemp(join(tmpdir(), 'hocket-etcdctl-'))
  try {
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const { stdout } = await promisify(execFile)(
      'etcdctl',
      [
        `--endpoints=${identity.store.join(',')}`,
        `--cacert=${await file('ca', identity.authorities.join(''))}`,
        `--cert=${await file('certificate', identity.certificate)}`,
        `--key=${await file('key', identity.key)}`,
        'check',
        'perf',
        '--load=l',
      ],
      { env: { ...process.env, ETCDCTL_API: '3' } },
    ).catch(
      // It exits with 1 where the rate is below what it hopes for, and says the rate all the same.
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    )
    const said = stdout.split('\n').filter((line) => /Throughput|Slowest|Stddev/.test(line))
    return said.join('; ') || 'etcdctl is not installed'
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Until every track can be played through the node that scans; hashing goes on. */
async function measureScan(person: Client) {
  const added = await person.call('POST', '/api/libraries', { name: 'music', path: music.path })
  if (added.status !== 201) throw new Error(`the library was answered with ${added.status}`)
  const since = performance.now()
  const isDone = async () => catalogCounts.parse((await person.get('/api/counts')).body).tracks >= files
  await waitFor(isDone, { what: 'the scan', deadline: 600_000 })
  const took = (performance.now() - since) / 1_000
  return { tracks: files, seconds: took, tracksPerSecond: Math.round(files / took) }
}

/** A node ends, others make so many changes, and it comes back: seconds until it is ready, the middle one. */
async function returnAfter(missed: number): Promise<number> {
  const times: number[] = []
  for (let restart = 0; restart < restarts; restart += 1) {
    await away?.node.stop()
    let left = missed
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        const own = personAt(0)
        while (left > 0) {
          left -= 1
          await makePlaylist(own)
        }
      }),
    )
    const since = performance.now()
    await away?.start()
    times.push((performance.now() - since) / 1_000)
    await cluster.settled(3)
  }
  return times.toSorted((one, other) => one - other)[Math.floor(restarts / 2)] ?? Number.NaN
}
