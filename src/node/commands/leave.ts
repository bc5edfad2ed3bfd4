import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { z } from 'zod'
import type { ClusterStatus } from '../../protocol/api/cluster.ts'
import { CodedError } from '../../protocol/errors.ts'
import { membersFor } from '../etcd/growth.ts'
import { readLocal } from '../local.ts'
import type { Context } from './context.ts'
import { patiently, readStatus } from './patience.ts'
import { type Remote, withNode } from './remote.ts'
import { files, type Progress } from './terminal.ts'

const nothing = z.undefined()
const lookEveryMs = 1_000

/**
 * `hocket cluster leave --keep-data`: back to one machine that stands alone with everything. What is still only on the
 * others is brought here first, which needs a node that runs; the facts are moved when none does.
 */
export async function leave(context: Context): Promise<void> {
  const { config, terminal, signal } = context
  const { hasBegunToLeave, leaveCluster } = await import('../cluster/leave.ts')
  if (!(await hasBegunToLeave(config.data, signal))) {
    const isRunning = (await readLocal(config.data)) !== null
    await withNode(context, (remote) => gather(remote, context))
    if (isRunning) {
      terminal.print('Everything is here. Now stop Hocket, and give this command once more.')
      return
    }
  }
  using moving = terminal.progress('Moving', (amount) => `${amount.toLocaleString('en')} facts`)
  const log = pino({ level: 'silent' })
  const facts = await leaveCluster(config, log, (moved) => moving.update(moved, 0), signal)
  terminal.print(
    `This machine stands alone, with ${facts} facts. Start it again as before, without --join: \`npm run hocket -- up\`.`,
  )
}

/** Waits until every byte is here, and removes the other machines: they have been drained, so they are to go. */
async function gather(remote: Remote, { config, terminal, signal }: Context): Promise<void> {
  const first = await readStatus(remote, signal)
  const active = othersOf(first).filter(({ state }) => state === 'active')
  if (active.length > 0) {
    throw new CodedError('CLUSTER_NOT_LAST', active.map(({ name }) => name).join(', '))
  }
  {
    using progress = terminal.progress('Bringing here', files)
    for (let status = first; ; status = await readStatus(remote, signal)) {
      show(status, progress)
      if (isAllHere(status)) break
      await pause(lookEveryMs, undefined, { signal })
    }
  }
  const { isManaged, readMembership } = await import('../cluster/membership.ts')
  const identity = await readMembership(config.data)
  await removeOthers(remote, identity !== null && isManaged(identity), signal)
}

const othersOf = ({ nodes }: ClusterStatus) => nodes.filter(({ here, state }) => !here && state !== 'removed')

function show({ nodes }: ClusterStatus, progress: Progress): void {
  const own = nodes.find(({ here }) => here)?.copies
  if (own !== undefined) progress.update(own.wanted - own.missing, own.wanted)
}

/** Whether the layout names this machine alone, and what it asks for is here; what is lost is not waited for. */
function isAllHere(status: ClusterStatus): boolean {
  const own = status.nodes.find(({ here }) => here)
  const { layout, copies } = status
  if (own?.copies === undefined || layout === undefined) return false
  if (layout.nodes.length !== 1 || layout.nodes[0] !== own.id || own.copies.filled < layout.version)
    return false
  // What is missing now lies on a machine that is silent, if anywhere: that one may come back, or be removed.
  return copies.unavailable === 0 || othersOf(status).every(({ alive }) => alive)
}

/**
 * One after the other: the store's majority must move here before the last of them goes. A store that Hocket runs is
 * waited for until it is here alone, so that nothing asks for members that are no more.
 */
async function removeOthers(remote: Remote, isManaged: boolean, signal: AbortSignal): Promise<void> {
  for (;;) {
    const status = await readStatus(remote, signal)
    const others = othersOf(status)
    const [next] = others.filter(({ alive }) => !alive).concat(others)
    if (next === undefined && (!isManaged || status.storeMembers === 1)) return
    // As machines are emptied and go, the store's members move to those that stay.
    const isReady = status.storeHere && (!isManaged || status.storeMembers >= membersFor(others.length + 1))
    if (next !== undefined && isReady) await patiently(() => remove(remote, next.id), signal)
    await pause(lookEveryMs, undefined, { signal })
  }
}

const remove = (remote: Remote, node: string) =>
  remote.ask(`/api/cluster/nodes/${node}`, nothing, { method: 'PATCH', body: { state: 'removed' } })
