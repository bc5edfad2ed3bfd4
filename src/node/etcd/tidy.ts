import type { Logger } from 'pino'
import type { Membership } from '../../store/etcd/members.ts'
import type { MemberStatus } from '../../store/etcd/messages.ts'
import { quota } from './flags.ts'

/** What defragmenting gives back must be worth that the member stands still meanwhile. Bytes. */
const worthwhile = 268_435_456
/** The alarm is taken back when there is so much room again: otherwise it would only come again. */
const roomy = 0.8

/**
 * Whether a member's database holds mostly what compaction has freed. Free pages are used again, so this matters only
 * for the quota, which counts the file as a whole, and for the disk.
 */
export const isWasteful = ({ size, sizeInUse }: Pick<MemberStatus, 'size' | 'sizeInUse'>): boolean =>
  size - sizeInUse >= Math.max(worthwhile, size / 2)

/**
 * Keeps the members of a managed etcd in order; for one node at a time, now and then. Defragments one member after the
 * other, the leader last, and only while all of them answer: a majority is never without one that does. Says plainly
 * when the quota has been reached, and ends that alarm once there is room.
 */
export async function tidyEtcd(membership: Membership, log: Logger, signal: AbortSignal): Promise<void> {
  const members = (await membership.list(signal)).filter((member) => member.clientUrls.length > 0)
  const look = () =>
    Promise.all(
      members.map(async ({ id, name, clientUrls: [clientUrl = ''] }) => ({
        id,
        name,
        clientUrl,
        status: await membership.status(clientUrl, signal),
      })),
    )
  const isLeader = ({ id, status }: Awaited<ReturnType<typeof look>>[number]) => status.leader === id
  const wasteful = (await look()).filter(({ status }) => isWasteful(status))
  for (const member of wasteful.toSorted((one, other) => Number(isLeader(one)) - Number(isLeader(other)))) {
    const { name, clientUrl, status } = member
    await membership.defragment(clientUrl, signal)
    const { size } = await membership.status(clientUrl, signal)
    log.info(
      { member: name, from: status.size, to: size },
      'the database of a member of etcd was defragmented',
    )
  }

  const alarms = (await membership.alarms(signal)).filter((alarm) => alarm.kind === 'no space')
  if (alarms.length === 0) return
  const largest = Math.max(...(await look()).map(({ status }) => status.size))
  if (largest > quota * roomy) {
    log.error(
      { code: 'STORE_FULL', bytes: largest, quota },
      'the store has reached its quota and takes no writes',
    )
    return
  }
  for (const alarm of alarms) await membership.takeBack(alarm, signal)
  log.info({ bytes: largest, quota }, 'the store has room again and takes writes')
}
