import { update } from '../store/collection.ts'
import { devices, invitations, sessions, users } from './collections.ts'
import type { Context } from './context.ts'

const atOnce = 100

/**
 * Deletes what is past its end: sessions, invitations, and what belonged to a user who is gone. Safe to run at any
 * time and on several nodes: each fact is looked at again before it goes.
 */
export async function sweep({ store, rows, clock }: Context, signal: AbortSignal): Promise<void> {
  const now = clock()
  const isGone = async (user: string) => (await users.get(store, user, signal)) === null

  for (const { id, value } of rows.endedSessions(now, atOnce)) {
    const gone = await isGone(value.user)
    await update(
      store,
      sessions,
      id,
      (found) => (found && !gone && found.expiresAt > now ? found : null),
      signal,
    )
  }
  for (const { id, value } of rows.invitations()) {
    if (value.expiresAt > now) continue
    await update(store, invitations, id, (found) => (found && found.expiresAt > now ? found : null), signal)
  }
  for (const { id, value } of rows.orphanedDevices(atOnce)) {
    if (await isGone(value.user)) await update(store, devices, id, () => null, signal)
  }
}
