import pino from 'pino'
import { z } from 'zod'
import { clusterStatus, joinInvitation } from '../../protocol/api/cluster.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Initialised } from '../cluster/init.ts'
import type { Context } from './context.ts'
import { type Remote, withRunningNode } from './remote.ts'
import { bytes } from './terminal.ts'

const nothing = z.undefined()

/** `hocket cluster init`: this machine becomes the first node of a cluster. */
export async function init(context: Context): Promise<void> {
  const { terminal } = context
  terminal.note('Making a cluster of this machine. It may be interrupted and repeated.')
  const { facts, invitation } = await moveAll(context)
  terminal.note(`${facts} facts were moved and compared. Start it again as before: \`hocket up\`.`)
  sayLine(terminal, invitation.line)
}

async function moveAll({ config, terminal, signal }: Context): Promise<Initialised> {
  const { initialiseCluster } = await import('../cluster/init.ts')
  using moving = terminal.progress('Moving', (amount) => `${amount.toLocaleString('en')} facts`)
  const log = pino({ level: 'silent' })
  return await initialiseCluster(config, log, (facts) => moving.update(facts, 0), signal)
}

/** `hocket cluster invite`: a line for one more machine. */
export async function inviteNode(context: Context): Promise<void> {
  const { line } = await withRunningNode(context, (remote) =>
    remote.ask('/api/cluster/invitations', joinInvitation, { method: 'POST' }),
  )
  sayLine(context.terminal, line)
}

function sayLine(terminal: Context['terminal'], line: string): void {
  terminal.note('On the machine that is to join, within a day (it lets one in, once):')
  terminal.print(`npm run hocket -- up --join ${line}`)
}

/** `hocket drain NODE`, `hocket remove NODE`: a node, by its name or id, is emptied, or is gone for good. */
export async function setNodeState(
  context: Context,
  node: string,
  state: 'active' | 'draining' | 'removed',
): Promise<void> {
  await withRunningNode(context, async (remote) => {
    const id = await idOf(remote, node)
    await remote.ask(`/api/cluster/nodes/${id}`, nothing, { method: 'PATCH', body: { state } })
  })
  const said = {
    active: 'takes part again',
    draining: 'is being emptied; `hocket status` shows how far it is',
    removed: 'is removed; no node talks to it any more',
  }
  context.terminal.print(`${node} ${said[state]}.`)
}

/** The rows of `hocket status` that tell of the cluster; none where the machine stands alone. */
export async function clusterRows(remote: Remote): Promise<readonly (readonly [string, string])[]> {
  const status = await remote.ask('/api/cluster', clusterStatus).catch((error: unknown) => {
    if (error instanceof CodedError && error.code === 'NOT_IN_CLUSTER') return null
    throw error
  })
  if (status === null) return []
  const nodes = status.nodes
    .filter(({ state }) => state !== 'removed')
    .map((node): readonly [string, string] => {
      const state = node.alive ? node.state : 'silent'
      const disk =
        node.totalBytes === undefined
          ? ''
          : `, ${bytes(node.freeBytes ?? 0)} free of ${bytes(node.totalBytes)}`
      const clock = node.clockSkewMs === undefined ? '' : `, its clock is wrong by ${node.clockSkewMs} ms`
      return ['Node', `${node.name} (${node.zone}): ${state}${disk}${clock}${node.here ? ', this one' : ''}`]
    })
  const { wanted, held, missing, unavailable } = status.copies
  const copies = `${held} of ${wanted} are made, ${missing} are to be made, ${unavailable} are to be had from no node`
  const { storeReachable, storeMembers } = status
  const store = storeReachable
    ? `${storeMembers} ${storeMembers === 1 ? 'member votes' : 'members vote'}`
    : 'too few of its members answer: nothing can be saved'
  return [...nodes, ['Copies', copies], ['Etcd', store]]
}

async function idOf(remote: Remote, node: string): Promise<string> {
  const { nodes } = await remote.ask('/api/cluster', clusterStatus)
  const found = nodes.filter(({ id, name, state }) => state !== 'removed' && (id === node || name === node))
  const [first] = found
  if (first === undefined) throw new CodedError('NOT_FOUND', `no node is called ${node}`)
  if (found.length > 1)
    throw new CodedError('CONFLICT', `${found.length} nodes are called ${node}: give the id of one`)
  return first.id
}
