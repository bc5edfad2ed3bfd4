import { randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { checkKey, checkTransaction } from '../limits.ts'
import type { Store, Transaction } from '../store.ts'
import { type Connection, createConnection, type Members } from './connection.ts'
import { forgetHistory } from './history.ts'
import { createKeys, type Keys } from './keys.ts'
import {
  compaction,
  condition,
  deletion,
  grant,
  lease,
  put,
  range,
  readMemberStatus,
  readRange,
  readRenewal,
  readTransaction,
  transaction,
} from './messages.ts'
import { methods } from './methods.ts'
import { createPages } from './pages.ts'
import { watchRange } from './watch.ts'

export interface EtcdOptions extends Members {
  /** What all our keys in etcd begin with, so that others may have theirs beside them. */
  readonly namespace?: string
  readonly signal?: AbortSignal
}

export interface EtcdStore extends Store {
  /** Goes on with other members, or with other certificates. */
  use(members: Members): void
}

/**
 * The store of several machines: etcd, from version 3.4 on. It is made where there is none yet.
 *
 * Rejects with UNREACHABLE or TIMED_OUT where no majority of its members answers, STORE_NEWER, STORE_REFUSED or
 * SETTING_INVALID. Writes reject with STORE_FULL besides. UNREACHABLE says of a write that it was not made; after
 * TIMED_OUT it may have been, or may yet be.
 */
export async function openEtcdStore({ signal, ...options }: EtcdOptions): Promise<EtcdStore> {
  {
    using connection = createConnection(options)
    await identify(connection, createKeys(options.namespace ?? hocket), signal)
  }
  return connectEtcdStore(options)
}

/** The same store, of which it is known that it was made: asks nothing before the first call does. */
export function connectEtcdStore(options: Omit<EtcdOptions, 'signal'>): EtcdStore {
  const connection = createConnection(options)
  const keys = createKeys(options.namespace ?? hocket)

  async function read(key: string, signal: AbortSignal | undefined) {
    const { bytes } = await connection.call(methods.range, range({ from: key }), { signal, repeatable: true })
    return readRange(bytes)
  }

  const closing = new AbortController()
  const store: EtcdStore = {
    async get(key, signal) {
      checkKey(key)
      const [entry] = (await read(keys.full(key), signal)).entries
      return entry === undefined ? null : keys.entry(entry)
    },
    list: createPages(connection, keys),
    watch: (prefix, revision, signal) => watchRange(connection, keys, prefix, revision, signal),
    commit: (asked, signal) => commit(connection, keys, asked, signal),
    async grant(ttl, signal) {
      if (!(ttl > 0 && ttl <= 86_400)) {
        throw new CodedError('BAD_REQUEST', 'a lease lasts more than 0 and at most 86,400 seconds')
      }
      // An id of our own choice, so that the grant can be repeated; one that was made twice would end by itself.
      const id = randomBytes(8).readBigUInt64BE() >> 1n
      await connection.call(methods.grant, grant(Math.ceil(ttl), id), { signal, repeatable: false })
      return id.toString(16)
    },
    async renew(id, signal) {
      const request = lease(parseLease(id))
      const answer = await connection
        .call(methods.renew, request, { signal, repeatable: true, streams: true })
        .catch(unlessEnded)
      return answer !== undefined && readRenewal(answer.bytes) > 0
    },
    async revoke(id, signal) {
      await connection
        .call(methods.revoke, lease(parseLease(id)), { signal, repeatable: true })
        .catch(unlessEnded)
    },
    async compact(revision, signal) {
      await connection
        .call(methods.compact, compaction(revision), { signal, repeatable: true })
        // It has been done already.
        .catch((error) => unless(error, 'COMPACTED'))
    },
    async status(signal) {
      const { header, entries } = await read(keys.identity, signal)
      const id = idOf(entries[0]?.value)
      const { bytes } = await connection.call(methods.status, noFields, { signal, repeatable: true })
      return {
        id: `${id}.${header.cluster}`,
        revision: header.revision,
        bytes: readMemberStatus(bytes).sizeInUse,
      }
    },
    use: (members) => connection.use(members),
    async [Symbol.asyncDispose]() {
      closing.abort()
      connection[Symbol.dispose]()
      await forgetting
    },
  }
  const forgetting = forgetHistory(store, closing.signal)
  return store
}

const noFields = new Uint8Array(0)
const hocket = 'hocket/'

async function commit(
  connection: Connection,
  keys: Keys,
  asked: Transaction,
  signal: AbortSignal | undefined,
) {
  checkTransaction(asked)
  const request = transaction(
    asked.conditions.map(({ key, revision }) => condition(keys.full(key), revision)),
    asked.writes.map((write) => {
      const key = keys.full(write.key)
      if (write.value === null) return deletion(key)
      return put(key, write.value, write.lease === undefined ? 0n : parseLease(write.lease))
    }),
  )
  const { bytes, repeated } = await connection.call(methods.transaction, request, {
    signal,
    repeatable: spendsItself(asked),
  })
  const outcome = readTransaction(bytes)
  if (!outcome.ok && repeated) {
    const made = await madeAlready(connection, keys, asked, signal)
    if (made !== null) return made
    throw new CodedError(
      'TIMED_OUT',
      'an answer was lost: the change was made by this request, or by another one',
    )
  }
  return outcome
}

/**
 * Of a transaction that only makes new keys, whether they are there just as it wanted them: an earlier attempt has made
 * them. Should somebody else have made the same, nobody could tell the difference. Null where they are not, and for
 * other transactions: of two who count up from the same number, only one has counted.
 */
async function madeAlready(
  connection: Connection,
  keys: Keys,
  { conditions, writes }: Transaction,
  signal: AbortSignal | undefined,
): Promise<{ ok: true; revision: number } | null> {
  const absent = new Set(conditions.filter(({ revision }) => revision === 0).map(({ key }) => key))
  const revisions = new Set<number>()
  for (const { key, value, lease: leased } of writes) {
    if (value === null || leased !== undefined || !absent.has(key)) return null
    const request = range({ from: keys.full(key) })
    const { bytes } = await connection.call(methods.range, request, { signal, repeatable: true })
    const [found] = readRange(bytes).entries
    if (found === undefined || !Buffer.from(found.value).equals(value)) return null
    revisions.add(found.revision)
  }
  const [revision, ...others] = revisions
  return revision === undefined || others.length > 0 ? null : { ok: true, revision }
}

/**
 * Whether a transaction cannot be made twice, since it changes a key under the condition that nobody else has: then it
 * is safe to send again when an answer was lost.
 */
function spendsItself({ conditions, writes }: Transaction): boolean {
  const written = new Set(writes.map((write) => write.key))
  return conditions.some((each) => written.has(each.key))
}

const identity = z.object({ id: z.string().min(1), format: z.int().positive() })
const format = 1

/** Gives a new store its identity. Of several nodes that do so at once, one does. */
async function identify(connection: Connection, keys: Keys, signal: AbortSignal | undefined): Promise<void> {
  const made = Buffer.from(JSON.stringify({ id: randomUUID(), format } satisfies z.infer<typeof identity>))
  const request = transaction([condition(keys.identity, 0)], [put(keys.identity, made, 0n)])
  await connection.call(methods.transaction, request, { signal, repeatable: true })
  const { bytes } = await connection.call(methods.range, range({ from: keys.identity }), {
    signal,
    repeatable: true,
  })
  idOf(readRange(bytes).entries[0]?.value)
}

function idOf(value: Uint8Array | undefined): string {
  if (value === undefined)
    throw new CodedError('STORE_CORRUPT', 'the key that says which store it is has gone')
  const parsed = identity.safeParse(json(value))
  if (!parsed.success)
    throw new CodedError('STORE_CORRUPT', 'the key that says which store it is cannot be read')
  if (parsed.data.format > format) throw new CodedError('STORE_NEWER')
  return parsed.data.id
}

function json(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8'))
  } catch {
    return undefined
  }
}

/** An id that was never granted is one that has ended. */
const parseLease = (id: string) => (/^[0-9a-f]{1,16}$/.test(id) ? BigInt(`0x${id}`) : 1n)

const unlessEnded = (error: unknown) => unless(error, 'LEASE_ENDED')

function unless(error: unknown, code: 'LEASE_ENDED' | 'COMPACTED'): undefined {
  if (!isCoded(error, code)) throw error
}
