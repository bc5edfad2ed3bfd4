import { isCoded } from '../../protocol/errors.ts'
import { type Connection, createConnection, type Members } from './connection.ts'
import {
  type Alarm,
  byId,
  listAlarms,
  type Member,
  type MemberStatus,
  newAddress,
  newLearner,
  range,
  readAlarms,
  readMemberStatus,
  readMembers,
  takeBack,
} from './messages.ts'
import { methods } from './methods.ts'
import { message } from './wire.ts'

/** What is asked of etcd as a whole, and of each of its members, beside facts. Errors are those of `Connection.call`. */
export interface Membership extends Disposable {
  /** Rejects where there is no majority, as the list of one member alone may be an old one. */
  list(signal?: AbortSignal): Promise<readonly Member[]>
  /**
   * Adds a member that takes part in no votes until it is promoted. Rejects with STORE_REFUSED while another learner
   * has not been promoted, or where not enough members are there.
   */
  addLearner(peerUrl: string, signal?: AbortSignal): Promise<void>
  /** Lets the others find a member at another address. Rejects with STORE_REFUSED where a member is there already. */
  move(id: string, peerUrl: string, signal?: AbortSignal): Promise<void>
  /** Gives a learner its vote. Rejects with STORE_REFUSED while it lacks what the leader has. */
  promote(id: string, signal?: AbortSignal): Promise<void>
  /** Resolves also where there is no such member any more. */
  remove(id: string, signal?: AbortSignal): Promise<void>
  /** What one member says of itself, whether it has a leader or not. */
  status(clientUrl: string, signal?: AbortSignal): Promise<MemberStatus>
  alarms(signal?: AbortSignal): Promise<readonly Alarm[]>
  takeBack(alarm: Alarm, signal?: AbortSignal): Promise<void>
  /** Gives what compaction has freed in one member's database back to the disk. The member does nothing else meanwhile. */
  defragment(clientUrl: string, signal?: AbortSignal): Promise<void>
  /** Asks the leader at this address to hand over to another member. */
  handOver(clientUrl: string, to: string, signal?: AbortSignal): Promise<void>
}

/** Rewriting a database of some GiB on a slow disk. Milliseconds. */
const defragmentDeadline = 600_000

export function openMembership(members: Members): Membership {
  const connection = createConnection(members)

  /** Of one member, for what others cannot answer in its place. */
  async function ask<Result>(
    clientUrl: string,
    work: (member: Connection) => Promise<Result>,
  ): Promise<Result> {
    using member = createConnection({ ...members, endpoints: [clientUrl] })
    return await work(member)
  }

  const call = async (method: string, request: Uint8Array, repeatable: boolean, signal?: AbortSignal) =>
    (await connection.call(method, request, { signal, repeatable })).bytes

  async function list(signal?: AbortSignal): Promise<readonly Member[]> {
    // In etcd 3.4 a member answers from what it knows by itself. It reads a key first, with the others, and so has
    // caught up before it lists.
    await call(methods.range, range({ from: 'any' }, 1), true, signal)
    return readMembers(await call(methods.listMembers, message(), true, signal))
  }

  return {
    list,
    async addLearner(peerUrl, signal) {
      await call(methods.addMember, newLearner(peerUrl), false, signal)
    },
    async move(id, peerUrl, signal) {
      await call(methods.updateMember, newAddress(id, peerUrl), true, signal)
    },
    async promote(id, signal) {
      await call(methods.promoteMember, byId(id), true, signal)
    },
    async remove(id, signal) {
      await call(methods.removeMember, byId(id), true, signal).catch(async (error) => {
        // The member that took the request may be the one that went, with its answer; the repetition finds nobody.
        if (!isCoded(error, 'STORE_REFUSED') || (await list(signal)).some((each) => each.id === id))
          throw error
      })
    },
    status: (clientUrl, signal) =>
      ask(clientUrl, async (member) => {
        const options = { signal, repeatable: true, leaderless: true }
        return readMemberStatus((await member.call(methods.status, message(), options)).bytes)
      }),
    alarms: async (signal) => readAlarms(await call(methods.alarm, listAlarms(), true, signal)),
    async takeBack(alarm, signal) {
      await call(methods.alarm, takeBack(alarm), true, signal)
    },
    async defragment(clientUrl, signal) {
      const options = { signal, repeatable: false, deadline: defragmentDeadline }
      await ask(clientUrl, (member) => member.call(methods.defragment, message(), options))
    },
    async handOver(clientUrl, to, signal) {
      await ask(clientUrl, (member) =>
        member.call(methods.moveLeader, byId(to), { signal, repeatable: true }),
      )
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}
