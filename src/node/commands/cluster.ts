import pino from 'pino'
import { z } from 'zod'
import {
  type ClusterNode,
  type ClusterStatus,
  clusterStatus,
  expiresSoon,
  joinInvitation,
  leastCapacity,
  type NodeChange,
  type NodeCopies,
} from '../../protocol/api/cluster.ts'
import { CodedError } from '../../protocol/errors.ts'
import { allRoles } from '../../protocol/facts/cluster.ts'
import type { Initialised, InitStep, OnStep } from '../cluster/init.ts'
import { byteCount } from '../config.ts'
import { readLocal } from '../local.ts'
import { authorityText, waitingText } from './authority.ts'
import type { Context } from './context.ts'
import { type Remote, withRunningNode } from './remote.ts'
import { bytes } from './terminal.ts'

const nothing = z.undefined()

/** `hocket cluster init`: this machine becomes the first node of a cluster. */
export async function init(context: Context): Promise<void> {
  const { config, terminal } = context
  if ((await readLocal(config.data)) !== null) {
    const { readMembership } = await import('../cluster/membership.ts')
    if ((await readMembership(config.data)) !== null) {
      terminal.note('This machine is a node of a cluster already, and runs.')
      return await inviteNode(context)
    }
    const order =
      'stop it, give this command again, and start it as before: nobody may write while facts move'
    throw new CodedError('DATA_FOLDER_IN_USE', order)
  }
  terminal.note('Making a cluster of this machine. It may be interrupted and repeated.')
  const { facts, invitation } = await moveAll(context)
  terminal.note(`${facts} facts were moved and compared. Start it again as before: \`npm run hocket -- up\`.`)
  sayLine(terminal, invitation.line)
}

async function moveAll({ config, terminal, signal }: Context): Promise<Initialised> {
  const { initialiseCluster } = await import('../cluster/init.ts')
  using moving = terminal.progress('Moving', (amount) => `${amount.toLocaleString('en')} facts`)
  const log = pino({ level: 'silent' })
  const onStep: OnStep = (step, facts) =>
    step === 'copying' ? moving.update(facts, 0) : terminal.note(`  ${stepWords[step]}`)
  return await initialiseCluster(config, log, onStep, signal)
}

const stepWords: Readonly<Record<Exclude<InitStep, 'copying'>, string>> = {
  founded: 'The cluster has a certificate authority, and this machine its certificate.',
  given: 'The music folders are noted as those of this machine.',
  started: 'The new store runs.',
  begun: 'Moving of the facts has begun.',
  copied: 'They are copied.',
  'caught up': 'What changed meanwhile is copied, too.',
  verified: 'Both stores were read again, and hold the same.',
  retired: 'The old store counts no more.',
  complete: 'The new store counts.',
  joined: 'This machine is a node of the cluster.',
  invited: 'Another machine may join.',
  'set aside': 'The file of the old store is put aside.',
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
  terminal.note(
    'On the same network, `npm run hocket -- up --discover` finds this machine, and asks for the line.',
  )
}

/** `hocket drain NODE`, `hocket remove NODE`: a node, by its name or id, is emptied, or is gone for good. */
export async function setNodeState(
  context: Context,
  node: string,
  state: 'active' | 'draining' | 'removed',
  { now = false }: { readonly now?: boolean } = {},
): Promise<void> {
  await withRunningNode(context, async (remote) => {
    const { id, alive, drained } = await find(remote, node)
    if (state === 'removed' && alive && !drained && !now) throw new CodedError('NODE_NOT_DRAINED', node)
    await remote.ask(`/api/cluster/nodes/${id}`, nothing, { method: 'PATCH', body: { state } })
  })
  const said = {
    active: 'takes part again',
    draining: 'is being emptied; `npm run hocket -- status` says when it is drained',
    removed: 'is removed; no node talks to it any more',
  }
  context.terminal.print(`${node} ${said[state]}.`)
}

/** `hocket cluster settings`: what administrators have set for the whole cluster. */
export async function showSettings({ terminal, ...context }: Context): Promise<void> {
  const { settings, layout } = await withRunningNode({ terminal, ...context }, (remote) =>
    remote.ask('/api/cluster', clusterStatus),
  )
  terminal.print(`copies  ${settings.replicas} of each song, on different machines`)
  terminal.print(`quorum  ${settings.writeQuorum} of them are durable before an upload is acknowledged`)
  terminal.print(
    `grace   ${spoken(settings.graceSeconds)} before the copies of a silent machine are made anew`,
  )
  const holding = layout?.nodes.length ?? settings.replicas
  if (holding < settings.replicas)
    terminal.note(
      `So far ${holding} ${holding === 1 ? 'machine holds' : 'machines hold'} copies: of each song there are no more than that.`,
    )
}

/** `hocket cluster set`: changes them, from now on. */
export async function changeSettings(
  context: Context,
  { copies, quorum, grace }: { readonly copies?: string; readonly quorum?: string; readonly grace?: string },
): Promise<void> {
  const body = {
    ...(copies !== undefined && { replicas: copyCount('--copies', copies) }),
    ...(quorum !== undefined && { writeQuorum: copyCount('--quorum', quorum) }),
    ...(grace !== undefined && { graceSeconds: duration('--grace', grace) }),
  }
  if (Object.keys(body).length === 0)
    throw new CodedError('SETTING_INVALID', 'give --copies, --quorum or --grace')
  await withRunningNode(context, (remote) =>
    remote.ask('/api/cluster/settings', nothing, { method: 'PATCH', body }),
  )
  await showSettings(context)
}

/** `hocket cluster node NODE`: changes what a machine is called, what it fails together with, or how much it may hold. */
export async function changeNode(
  context: Context,
  node: string,
  { name, zone, capacity }: { readonly name?: string; readonly zone?: string; readonly capacity?: string },
): Promise<void> {
  const body: NodeChange = {
    ...(name !== undefined && { name }),
    ...(zone !== undefined && { zone }),
    ...(capacity !== undefined && {
      capacityBytes: capacity === 'all' ? null : size('--capacity', capacity),
    }),
  }
  if (Object.keys(body).length === 0)
    throw new CodedError('SETTING_INVALID', 'give --name, --zone or --capacity')
  await withRunningNode(context, async (remote) => {
    const { id } = await find(remote, node)
    await remote.ask(`/api/cluster/nodes/${id}`, nothing, { method: 'PATCH', body })
  })
  context.terminal.print(`${node} is changed; copies move where they belong now.`)
}

const secondsOf = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
])

function duration(flag: string, text: string): number {
  const [, number, unit = ''] = /^(\d{1,7})([smhd])$/.exec(text) ?? []
  const seconds = secondsOf.get(unit)
  if (number === undefined || seconds === undefined)
    throw new CodedError('SETTING_INVALID', `${flag}: expected is a time, such as 90s, 15m, 2h or 1d`)
  return Number(number) * seconds
}

function spoken(seconds: number): string {
  const [unit, length] = [...secondsOf].findLast(([, each]) => seconds % each === 0 && seconds >= each) ?? [
    's',
    1,
  ]
  return `${seconds / length}${unit}`
}

function copyCount(flag: string, text: string): number {
  if (!/^[1-9]$/.test(text))
    throw new CodedError('SETTING_INVALID', `${flag}: expected is a number from 1 to 9`)
  return Number(text)
}

function size(flag: string, text: string): number {
  const parsed = byteCount.safeParse(text)
  if (!parsed.success || parsed.data < leastCapacity)
    throw new CodedError(
      'SETTING_INVALID',
      `${flag}: expected is a size, such as 500GiB, at least 1GiB, or all`,
    )
  return parsed.data
}

/** The cluster as the running node knows it; null where the machine stands alone. */
export async function readCluster(remote: Remote): Promise<ClusterStatus | null> {
  return await remote.ask('/api/cluster', clusterStatus).catch((error: unknown) => {
    if (error instanceof CodedError && error.code === 'NOT_IN_CLUSTER') return null
    throw error
  })
}

/** The rows of `hocket status` that tell of the cluster. */
export function clusterRows(status: ClusterStatus): readonly (readonly [string, string])[] {
  const { storeReachable, storeMembers, storeAnswering, storeAlarm, settings } = status
  const votes = `${storeMembers} ${storeMembers === 1 ? 'member votes' : 'members vote'}`
  const answer = storeAnswering < storeMembers ? `, and only ${storeAnswering} of them answer` : ''
  const store = storeReachable ? `${votes}${answer}` : 'too few of its members answer: nothing can be saved'
  return [
    ...status.nodes.filter(({ state }) => state !== 'removed').flatMap(nodeRows),
    ...roleRows(status),
    ['Copies', storeReachable ? copiesText(status.copies) : copiesHere(status.copies)],
    ...repairRows(status.copies),
    [
      'Settings',
      `${settings.replicas} copies, quorum ${settings.writeQuorum}, grace ${spoken(settings.graceSeconds)}`,
    ],
    ['Etcd', store],
    ...(storeAlarm === undefined ? [] : [['', alarmWords[storeAlarm]] as const]),
    ...authorityRows(status),
  ]
}

/** Only where there is something to know: it holds for many years. */
function authorityRows(status: ClusterStatus): readonly (readonly [string, string])[] {
  const { authority } = status
  return [
    ...(expiresSoon(authority, Date.now())
      ? [['Authority', authorityText(authority, Date.now())] as const]
      : []),
    ...(authority.renewal === undefined ? [] : [['Authority', waitingText(status)] as const]),
  ]
}

function nodeRows(node: ClusterNode): readonly (readonly [string, string])[] {
  const { name, zone, roles, state, alive, drained, here, totalBytes, freeBytes = 0 } = node
  const { clockSkewMs, copies } = node
  const parts = [
    `${name} (${zone}): ${alive ? (drained ? 'drained, it can be removed' : state) : 'silent'}`,
    roles.length === allRoles.length ? 'all roles' : roles.join('+'),
    ...(totalBytes === undefined ? [] : [`${bytes(freeBytes)} free of ${bytes(totalBytes)}`]),
    ...(copies === undefined || !alive ? [] : [copiesOfNode(copies)]),
    ...(clockSkewMs === undefined ? [] : [`its clock is wrong by ${clockSkewMs} ms`]),
    ...(here ? ['this one'] : []),
  ]
  return [['Node', parts.join(', ')]]
}

/** Roles that nobody has who is up. */
function roleRows({ nodes }: ClusterStatus): readonly (readonly [string, string])[] {
  return allRoles
    .filter((role) => !nodes.some(({ alive, roles }) => alive && roles.includes(role)))
    .map((role) => ['Missing', `no machine that is up has the role ${role}`])
}

function copiesOfNode({ wanted, missing, surplus, problem }: NodeCopies): string {
  const held = `${Math.max(0, wanted - missing)} of ${wanted} copies`
  return [
    held,
    ...(surplus > 0 ? [`${surplus} to be dropped`] : []),
    ...(problem === undefined ? [] : [problem]),
  ].join(', ')
}

/** `all … are made` is what an administrator waits for, so nothing else may be taken for it. */
function copiesText({ wanted, held, missing, away, unavailable, settled }: ClusterStatus['copies']): string {
  const made = `${held} of ${wanted} are made`
  return [
    ...(settled && held === wanted ? [`all ${held} are made`] : [made]),
    ...(missing > 0 ? [`${missing} are to be made`] : []),
    ...(settled || missing > 0 ? [] : ['which ones belong where is being compared']),
    ...(away > 0 ? [`${away} are on machines that do not answer`] : []),
    ...(unavailable > 0 ? [`${unavailable} are to be had from no node`] : []),
  ].join(', ')
}

function copiesHere({ wanted, held }: ClusterStatus['copies']): string {
  return `${held} of ${wanted} are made here; how it is elsewhere is not known`
}

/** How far the making of copies is, and how long it may take. */
function repairRows(copies: ClusterStatus['copies']): readonly (readonly [string, string])[] {
  const { wanted, held, missing, missingBytes, unavailable, bytesPerSecond } = copies
  if (missing === 0 || missing === unavailable) return []
  const share = Math.floor((100 * held) / Math.max(1, wanted))
  const left =
    bytesPerSecond === 0
      ? ''
      : ` at ${bytes(bytesPerSecond)}/s, ${Math.ceil(missingBytes / bytesPerSecond / 60)} min to go`
  return [['Repair', `${share} % done, ${bytes(missingBytes)} to be copied${left}`]]
}

/** The node with this name or id. */
async function find(remote: Remote, node: string): Promise<ClusterNode> {
  const { nodes } = await remote.ask('/api/cluster', clusterStatus)
  const found = nodes.filter(({ id, name, state }) => state !== 'removed' && (id === node || name === node))
  const [first] = found
  if (first === undefined) throw new CodedError('NODE_UNKNOWN', node)
  if (found.length > 1) {
    const told = found.map(({ id, zone, alive }) => `${id} (${zone}, ${alive ? 'up' : 'silent'})`)
    throw new CodedError('NODE_AMBIGUOUS', told.join(', '))
  }
  return first
}

/** What an alarm of the store means, for an administrator. */
export const alarmWords = {
  full: 'its quota is reached: nothing can be saved until there is room (STORE_FULL in docs/errors.md)',
  diverged: 'its members do not hold the same: nothing is to be trusted (STORE_DIVERGED in docs/errors.md)',
} as const
