import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { syncFolder } from '../../blobs/durable.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { describesCluster, members } from '../../registry/facts.ts'
import { forgetIdentity, type Identity } from '../../registry/trust/identity.ts'
import { arrivalIn, moveFacts, requireFacts } from '../../store/move.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import type { Config } from '../config.ts'
import { bringLibrariesHome } from '../home.ts'
import { readLocal } from '../local.ts'
import { lockDataFolder } from '../lock.ts'
import { clientUrlOf, etcdFolder, runEtcd, runsEtcd } from './etcd.ts'
import { readStoreTls } from './external.ts'
import { setAside } from './init.ts'
import { readMembership, storeMembers } from './membership.ts'

/**
 * Makes of the last node of a cluster a machine that stands alone, with all facts: they are moved from etcd into a file
 * and compared, what describes the cluster is forgotten, and only then is the node's identity. It may be killed at any
 * moment and started again (N2): until its last step this data folder is a node, whose store counts or is retired.
 * Answers how many facts were moved.
 *
 * DATA_FOLDER_IN_USE while it runs; NOT_IN_CLUSTER; CLUSTER_NOT_LAST where others still belong to the cluster; those of
 * etcd and of moving.
 */
export async function leaveCluster(
  config: Config,
  log: Logger,
  onMoved: (facts: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const { data } = config
  using _lock = await lockDataFolder(data)
  const identity = await readMembership(data)
  if (identity === null) throw new CodedError('NOT_IN_CLUSTER')
  await setAsideRetired(data, signal)
  let facts: number
  {
    await using file = await openSqliteStore(join(data, 'store.db'), { signal })
    if ((await arrivalIn(file, signal)) !== 'complete')
      await moveBack({ config, identity, file, log, onMoved }, signal)
    facts = await forgetCluster(file, identity.id, signal)
  }
  // From here on the facts are in the file, and etcd is only what they were.
  const former = `${etcdFolder(data)}-before-leaving`
  if (existsSync(etcdFolder(data))) {
    await rm(former, { recursive: true, force: true })
    await rename(etcdFolder(data), former)
    await syncFolder(data)
  }
  for (const suffix of ['', '-wal', '-shm']) await rm(join(data, `copies.db${suffix}`), { force: true })
  await forgetIdentity(data)
  return facts
}

/** Moves every fact from etcd into the file. CLUSTER_NOT_LAST, those of etcd and of moving. */
async function moveBack(
  { config, identity, file, log, onMoved }: MovingBack,
  signal: AbortSignal,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const isMember = runsEtcd(config.data)
  if (isMember) stack.use(await runEtcd({ config, identity, log, signal }))
  // The members of removed nodes are gone, and would only be waited for.
  const reached = isMember ? { ...identity, store: [clientUrlOf(config)] } : identity
  const { openEtcdStore } = await import('../../store/etcd/etcd.ts')
  const external = await readStoreTls(identity.store, config)
  const etcd = stack.use(await openEtcdStore({ ...storeMembers(reached, external), signal }))
  await requireLast(etcd, identity.id, signal)
  await moveFacts({
    from: etcd,
    to: file,
    source: 'retired',
    progress(step, moved) {
      if (step === 'copying') onMoved(moved)
    },
    signal,
  })
}

interface MovingBack {
  readonly config: Config
  readonly identity: Identity
  readonly file: Store
  readonly log: Logger
  readonly onMoved: (facts: number) => void
}

/** Whether `leaveCluster` was interrupted while it moved the facts: all else had been seen to before. */
export async function hasBegunToLeave(data: string, signal: AbortSignal): Promise<boolean> {
  if ((await readMembership(data)) === null || (await readLocal(data)) !== null) return false
  using _lock = await lockDataFolder(data)
  await setAsideRetired(data, signal)
  if (!existsSync(join(data, 'store.db'))) return false
  await using file = await openSqliteStore(join(data, 'store.db'), { signal })
  return (await arrivalIn(file, signal)) !== 'none'
}

/** Two services with the same accounts would each go on by itself: the others must have been removed. */
async function requireLast(store: Store, self: Id, signal: AbortSignal): Promise<void> {
  const others: string[] = []
  for await (const { id, value } of members.walk(store, {}, signal)) {
    if (id !== self && value.state !== 'removed') others.push(value.name)
  }
  if (others.length > 0) throw new CodedError('CLUSTER_NOT_LAST', others.join(', '))
}

/** A file from before `cluster init` that was not put away any more. */
async function setAsideRetired(data: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(join(data, 'store.db'))) return
  try {
    await using file = await openSqliteStore(join(data, 'store.db'), { signal })
    await requireFacts(file, signal)
  } catch (error) {
    if (isCoded(error, 'STORE_RETIRED')) await setAside(data)
    else if (!isCoded(error, 'STORE_INCOMPLETE')) throw error
  }
}

/**
 * Forgets what describes the cluster, and makes the folders of this node those of a machine alone. Those of removed nodes
 * stay as they are: what was copied from them plays on. Answers how many facts are left.
 */
async function forgetCluster(store: Store, self: Id, signal: AbortSignal): Promise<number> {
  await bringLibrariesHome(store, ({ node }) => node === self, signal)
  let facts = 0
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await store.list('', after === undefined ? {} : { after }, signal)
    const gone = page.entries.filter(({ key }) => describesCluster(key))
    facts += page.entries.length - gone.length
    for (let at = 0; at < gone.length; at += 100) {
      const writes = gone.slice(at, at + 100).map(({ key }) => ({ key, value: null }))
      await store.commit({ conditions: [], writes }, signal)
    }
    more = page.more
    after = page.entries.at(-1)?.key
  }
  return facts
}
