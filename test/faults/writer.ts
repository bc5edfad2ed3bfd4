import { pickOne } from '../harness/random.ts'
import { type Belief, count, isBelieved, type Ledger } from './ledger.ts'
import { type Ask, ask, type Reply } from './request.ts'

/** Someone with an account of their own, signed in once: every gateway knows the session. */
export interface Account {
  readonly name: string
  readonly token: string
}

export interface WriterOptions {
  readonly number: number
  readonly accounts: readonly Account[]
  /** Where the gateways are, dead or not. */
  readonly gateways: () => readonly string[]
  /** Songs of the library. */
  readonly songs: readonly string[]
  /** A playable sound without tags. */
  readonly sound: Uint8Array
  readonly ledger: Ledger
  readonly random: () => number
}

/** One client: how it asks, and how it notes what it is promised. */
export interface Writer extends WriterOptions {
  readonly own: Account
  /** What nobody else writes, and it itself only once. */
  unique(): number
  pick<Each>(list: readonly Each[]): Each
  /** Asks a random gateway for its own account, unless told otherwise. */
  send(request: Omit<Ask, 'gateway' | 'token'> & Partial<Ask>): Promise<Reply>
  acknowledged(): void
  /** Notes what became of a write, and reads it through another gateway with the revision that came with the answer (F4). */
  settle(belief: Belief, value: string, reply: Reply, read: ReadOwn): Promise<void>
  /** Tracks that it has uploaded. */
  readonly uploads: string[]
}

/** What is there at a revision; null where the gateway refuses to say. */
export type ReadOwn = (after: string) => Promise<string | null | undefined>

/** More than there are clients. */
const mostClients = 100

export function createWriter(options: WriterOptions): Writer {
  const { number, accounts, gateways, ledger, random } = options
  const own = accounts[number % accounts.length]
  if (own === undefined) throw new Error('a client needs an account')
  const { counts } = ledger
  let written = 0
  /** As a page does, it asks for nothing older than what it has been answered. */
  let revision: string | undefined

  const pick = <Each>(list: readonly Each[]): Each => pickOne(list, random)
  const acknowledged = () => {
    counts.acknowledged += 1
  }

  return {
    ...options,
    own,
    pick,
    acknowledged,
    uploads: [],
    unique: () => ++written * mostClients + number,

    async send(request) {
      const reply = await ask({ gateway: pick(gateways()), token: own.token, after: revision, ...request })
      if (reply.kind !== 'done')
        count(counts.refusals, `${request.method} ${kindOf(request.path)}: ${reply.code}`)
      else if (Number(reply.revision ?? 0) > Number(revision ?? 0)) revision = reply.revision
      return reply
    },

    async settle(belief, value, reply, read) {
      if (reply.kind !== 'done') {
        if (mayHaveHappened(reply)) belief.doubtful.add(value)
        return
      }
      acknowledged()
      belief.acknowledged = value
      if (reply.revision === undefined)
        return void ledger.violations.push(`[F4] no revision came with ${value}`)
      const found = await read(reply.revision)
      if (found === null) counts.readsRefused += 1
      else if (isBelieved(belief, found)) counts.readsOfOwn += 1
      else ledger.violations.push(`[F4] ${own.name} wrote ${value} at ${reply.revision} and read ${found}`)
    },
  }
}

export const mayHaveHappened = (reply: Reply): boolean =>
  reply.kind === 'silent' || (reply.kind === 'refused' && !reply.isFinal)

/** The path without what is of one item. */
const kindOf = (path: string) => path.replaceAll(/\/[^/]*\d[^/]*/g, '/…')
