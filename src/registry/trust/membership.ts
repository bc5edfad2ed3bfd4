import { CodedError } from '../../protocol/errors.ts'
import type { Member } from '../../protocol/facts/cluster.ts'
import type { Id } from '../../protocol/ids.ts'
import { join, transact, update } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { members, presences } from '../facts.ts'
import { readAuthority } from './authority.ts'
import { withMaker } from './maker.ts'

/** What of a member may be changed later; what is absent stays as it is. */
export interface MemberChange {
  readonly state?: Member['state'] | undefined
  readonly name?: string | undefined
  readonly zone?: string | undefined
  readonly capacityBytes?: number | null | undefined
}

/** Says whether a member takes part, is being emptied, or is gone for good: see `changeMember`. */
export const setMemberState = (store: Store, node: Id, state: Member['state'], signal?: AbortSignal) =>
  changeMember(store, node, { state }, signal)

/**
 * Changes a member. A removed one is refused by every node as soon as the fact reaches it, and never comes back under
 * its id: NODE_REMOVED. NOT_FOUND where there is none.
 */
export async function changeMember(
  store: Store,
  node: Id,
  change: MemberChange,
  signal?: AbortSignal,
): Promise<{ readonly revision: number }> {
  return await transact(
    store,
    async () => {
      const fact = await members.get(store, node, signal)
      if (fact === null) throw new CodedError('NOT_FOUND', `there is no node ${node}`)
      const { state, name, zone, capacityBytes } = fact.value
      const value = {
        ...fact.value,
        state: change.state ?? state,
        name: change.name ?? name,
        zone: change.zone ?? zone,
        capacityBytes: change.capacityBytes === undefined ? capacityBytes : change.capacityBytes,
      }
      if (fact.value.state === 'removed' && value.state !== 'removed') throw new CodedError('NODE_REMOVED')
      const changed = members.replace(node, fact.revision, value)
      const present = value.state === 'removed' ? await presences.get(store, node, signal) : null
      const operation = present === null ? changed : join(changed, presences.remove(node, present.revision))
      return { operation, value: undefined }
    },
    signal,
  )
}

/** Notes which roles a member has: a setting that is read at each start. */
export async function noteRoles(
  store: Store,
  node: Id,
  roles: Member['roles'],
  signal?: AbortSignal,
): Promise<void> {
  const note = (found: Member | null) =>
    found === null || found.roles.join() === roles.join() ? found : { ...found, roles }
  await update(store, members, node, note, signal)
}

/** The serial numbers of all certificates that nobody shall believe any more: those of removed nodes. */
export function revokedSerials(members: readonly Member[]): readonly string[] {
  return members
    .filter(({ state }) => state === 'removed')
    .flatMap(({ certificates }) => certificates.map(({ serial }) => serial))
}

/** The list, in PEM, by which etcd refuses the certificates of removed nodes. Make it anew with each removal. */
export async function readRevocations(store: Store, secret: string, signal?: AbortSignal): Promise<string> {
  const { certificate, key } = await readAuthority(store, secret, signal)
  const known: Member[] = []
  for await (const { value } of members.walk(store, {}, signal)) known.push(value)
  const serials = revokedSerials(known)
  return await withMaker((maker) =>
    maker.call(
      'revocations',
      { authority: { certificate, key }, serials, now: Date.now() },
      signal === undefined ? {} : { signal },
    ),
  )
}

/** The serial numbers on such a list. */
export async function listedSerials(list: string): Promise<ReadonlySet<string>> {
  return new Set(await withMaker((maker) => maker.call('listed', { list })))
}
