import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { trackSummary } from '../../src/protocol/api/catalog.ts'
import { playlistDetail, playlistSummary, queueView } from '../../src/protocol/api/listening.ts'
import { nodeStatus } from '../../src/protocol/api/node.ts'
import { type Client, client } from '../harness/client.ts'
import { waitFor } from '../harness/wait.ts'
import { isBelieved } from './ledger.ts'
import { findViolation } from './linearizable.ts'
import { register } from './register.ts'
import type { Stage } from './stage.ts'

/** What is not as it was promised, in words, each once. */
export interface Findings {
  /** Acknowledged writes that a gateway does not know. */
  readonly lost: readonly string[]
  /** Audio that is not the original byte for byte. */
  readonly notIdentical: readonly string[]
  /** Histories of registers that no register can have. */
  readonly notLinearizable: readonly string[]
}

/** How long a gateway may take to know everything, in milliseconds. */
const catchUpMs = 90_000
const playlists = z.object({ items: z.array(playlistSummary) })

/**
 * Holds everything that was acknowledged against what each gateway says, and once more against the first after its index
 * was deleted (F3). The clients must have ended.
 */
export async function checkAll(stage: Stage): Promise<Findings> {
  const lost = new Set<string>()
  const notIdentical = new Set<string>()
  const notLinearizable: string[] = []
  const { ledger, accounts, cluster } = stage
  // The last read of every register: it must fit as well.
  for (const account of accounts) {
    for (const gateway of stage.gateways()) {
      const calledAt = performance.now()
      const { positionMs } = queueView.parse((await client(gateway, account.token).get('/api/queue')).body)
      const answer = { at: performance.now(), output: { value: positionMs } }
      ledger.registers.get(account.name)?.push({ input: { kind: 'read' }, calledAt, answer })
    }
  }
  for (const [name, history] of ledger.registers) {
    const found = findViolation(history, register(0))
    if (found !== null) notLinearizable.push(`the queue of ${name}, at ${JSON.stringify(found)}`)
  }
  const compare = async (name: string, gateway: string) => {
    const clients = new Map(accounts.map((account) => [account.name, client(gateway, account.token)]))
    for (const each of await factsLost(stage, clients)) lost.add(`${each} (${name})`)
    for (const each of await bytesWrong(stage, clients)) notIdentical.add(`${each} (${name})`)
  }
  for (const { name, node } of cluster.nodes) await compare(name, node.baseUrl)
  const first = stage.node(0)
  await first.node.stop()
  await rm(join(first.data, 'index.db'))
  await first.start()
  await stage.works()
  await compare(`${first.name} with a new index`, first.node.baseUrl)
  return { lost: [...lost], notIdentical: [...notIdentical], notLinearizable }
}

type Clients = ReadonlyMap<string, Client>

async function factsLost(stage: Stage, clients: Clients): Promise<readonly string[]> {
  let lost: readonly string[] = []
  await waitFor(
    async () => {
      const [any] = clients.values()
      const { index } = nodeStatus.parse((await any?.get('/api/status'))?.body)
      if (index.behind > 0 || index.state === 'filling') return false
      lost = await missing(stage, clients)
      return lost.length === 0
    },
    { what: 'every write', deadline: catchUpMs },
  ).catch((error: unknown) => {
    if (lost.length === 0) throw error
  })
  return lost
}

async function missing({ ledger }: Stage, clients: Clients): Promise<string[]> {
  const lost: string[] = []
  const at = (account: string): Client => {
    const found = clients.get(account)
    if (found === undefined) throw new Error(`nobody is called ${account}`)
    return found
  }
  const lists = new Map<string, Map<string, number>>()
  for (const [account, each] of clients) {
    const { items } = playlists.parse((await each.get('/api/playlists?limit=500')).body)
    lists.set(account, new Map(items.map(({ name, trackCount }) => [name, trackCount])))
  }
  for (const [name, { account, tracks }] of ledger.playlists) {
    const found = lists.get(account)?.get(name)
    if (found !== tracks) lost.push(`the playlist ${name} has ${found} of ${tracks} tracks`)
  }
  for (const [id, belief] of ledger.comments) {
    const { comment } = playlistDetail.parse((await at(belief.account).get(`/api/playlists/${id}`)).body)
    if (!isBelieved(belief, comment)) lost.push(`the comment ${belief.acknowledged}: found ${comment}`)
  }
  for (const belief of ledger.ratings.values()) {
    const { mark } = trackSummary.parse((await at(belief.account).get(`/api/tracks/${belief.track}`)).body)
    const found = mark.rating === undefined ? undefined : String(mark.rating)
    if (!isBelieved(belief, found))
      lost.push(`the rating ${belief.acknowledged} of ${belief.track}: found ${found}`)
  }
  for (const [id, counts] of ledger.appended) {
    const [owner = ''] = clients.keys()
    const { tracks } = z
      .object({ tracks: z.array(z.string()) })
      .parse(entriesOf((await at(owner).get(`/api/playlists/${id}`)).body))
    for (const [track, { acknowledged, doubtful }] of counts) {
      const found = tracks.filter((each) => each === track).length
      if (found < acknowledged || found > acknowledged + doubtful) {
        lost.push(`${track} is ${found} times in a list: ${acknowledged} acknowledged, ${doubtful} in doubt`)
      }
    }
  }
  return lost
}

function entriesOf(body: unknown): { readonly tracks: readonly string[] } {
  return { tracks: playlistDetail.parse(body).items.map((each) => each?.id ?? '') }
}

async function bytesWrong({ ledger, songs }: Stage, clients: Clients): Promise<readonly string[]> {
  const [any] = clients.values()
  const wrong: string[] = []
  for (const [id, hash] of [...songs.map((song) => [song.id, song.hash] as const), ...ledger.uploads]) {
    // A copy that is being healed, or a node that has just been found again, is given another chance.
    const found = await waitFor(
      async () => {
        const response = await any?.fetch(`/api/tracks/${id}/audio`)
        if (response?.status !== 200) throw new Error(`${id} answered ${response?.status}`)
        return createHash('sha256')
          .update(Buffer.from(await response.arrayBuffer()))
          .digest('hex')
      },
      { what: `the bytes of ${id}`, deadline: 30_000 },
    ).catch(() => 'nothing')
    if (found !== hash) wrong.push(`${id}: ${found}`)
  }
  return wrong
}
