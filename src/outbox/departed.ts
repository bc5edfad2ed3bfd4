import type { Id } from '../protocol/ids.ts'
import { update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { connections, progresses, userOf } from './facts.ts'

/**
 * Clears away the connections of users who have no account any more; what waits for them goes when it comes to be
 * delivered. It may end anywhere and be called again.
 */
export async function disconnectDeparted(
  store: Store,
  isUser: (id: Id, signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { id } of connections.walk(store, { skip: ignore }, signal)) {
    if (!(await isUser(userOf(id), signal))) await update(store, connections, id, () => null, signal)
  }
  for await (const { id } of progresses.walk(store, { skip: ignore }, signal)) {
    if (!(await isUser(userOf(id), signal))) await update(store, progresses, id, () => null, signal)
  }
}

/** What a newer version wrote is the business of that version. */
const ignore = () => undefined
