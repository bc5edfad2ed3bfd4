import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { shareDeviceKey } from '../../accounts/device-key.ts'
import { libraries } from '../../catalog/facts.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { found } from '../../registry/trust/admission.ts'
import { type Identity, writeIdentity, writeRevocationList } from '../../registry/trust/identity.ts'
import { readRevocations } from '../../registry/trust/membership.ts'
import { type Invitation, invite } from '../../registry/trust/tokens.ts'
import { update } from '../../store/collection.ts'
import { type MoveStep, moveFacts } from '../../store/move.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import type { Config } from '../config.ts'
import { lockDataFolder } from '../lock.ts'
import { clientUrlOf, runEtcd } from './etcd.ts'
import { readStoreTls } from './external.ts'
import { describe, hostsOf, readMembership, requireAddress, storeMembers, withPort } from './membership.ts'

export interface Initialised {
  readonly identity: Identity
  readonly invitation: Invitation
  readonly facts: number
}

/** What has been done, in this order; `copying` comes again with every thousand facts. */
export type InitStep = 'founded' | 'given' | 'started' | MoveStep | 'joined' | 'invited' | 'set aside'

/** Told of each step, and while facts are copied how many of them. */
export type OnStep = (step: InitStep, facts: number) => void

/**
 * Makes a cluster of a machine that stands alone: it becomes the first node, etcd is started (or the one that was named
 * is used), every fact is moved there and compared, and only then is etcd the store. Until that last step the machine
 * stands alone as before, so it may be killed at any moment and started again (N2). The old file is put aside last: as
 * long as it is there, something may have been left undone.
 *
 * DATA_FOLDER_IN_USE while it runs; ALREADY_IN_CLUSTER; those of etcd and of moving.
 */
export async function initialiseCluster(
  config: Config,
  log: Logger,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<Initialised> {
  await using stack = new AsyncDisposableStack()
  const { data } = config
  stack.use(await lockDataFolder(data))
  const isCutOff = existsSync(join(data, 'store.db'))
  if ((await readMembership(data)) !== null && !isCutOff) throw new CodedError('ALREADY_IN_CLUSTER')
  await requireAddress(config)
  const external = await readStoreTls(config.store ?? [], config)
  const sqlite = stack.use(await openSqliteStore(join(data, 'store.db'), { signal }))
  const secret = shareDeviceKey(join(data, 'secrets'))
  const draft = await found({ store: sqlite, data, secret, node: describe(config) }, signal)
  onStep('founded', 0)
  await giveLibrariesTo(sqlite, draft.id, signal)
  onStep('given', 0)

  if (config.store === undefined) {
    await writeRevocationList(data, await readRevocations(sqlite, secret, signal))
    stack.use(await runEtcd({ config, identity: draft, log, signal }))
  }
  const identity: Identity = { ...draft, store: config.store ?? [clientUrlOf(config)] }
  const { openEtcdStore } = await import('../../store/etcd/etcd.ts')
  const etcd = stack.use(await openEtcdStore({ ...storeMembers(identity, external), signal }))
  onStep('started', 0)
  const { facts } = await moveFacts({ from: sqlite, to: etcd, source: 'retired', progress: onStep, signal })
  // From here on the facts are in etcd, and the file is only what they were.
  await writeIdentity(data, identity)
  onStep('joined', facts)
  const addresses = hostsOf(config).map((host) => withPort(host, config.peerPort))
  const invitation = await invite(etcd, addresses, signal)
  onStep('invited', facts)
  await stack.disposeAsync()
  await setAside(data)
  onStep('set aside', facts)
  return { identity, invitation, facts }
}

/** The folders of a machine that stands alone name no node; from now on they are this one's. */
async function giveLibrariesTo(store: Store, node: Id, signal: AbortSignal): Promise<void> {
  for await (const { id, value } of libraries.walk(store, {}, signal)) {
    if (value.kind !== 'folder' || value.node !== undefined) continue
    const given = (library: typeof value | null) => (library === null ? null : { ...library, node })
    await update(store, libraries, id, given, signal)
  }
}

/** Nobody shall take the old file for the store. It goes last, as it says that this has not been done. */
export async function setAside(data: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '']) {
    await rename(join(data, `store.db${suffix}`), join(data, `store-before-cluster.db${suffix}`)).catch(
      () => undefined,
    )
  }
}
