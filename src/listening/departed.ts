import type { Playlist } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { type Collection, join, update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { bookmarks, marks, playlists, queues, shares } from './facts.ts'

export interface DepartedOptions {
  readonly store: Store
  /** Whether there is such an account; throws where that cannot be told. */
  readonly isUser: (id: Id, signal: AbortSignal) => Promise<boolean>
  /** Who takes over what others still listen to; null: nobody yet. */
  readonly heir: (signal: AbortSignal) => Promise<Id | null>
}

/**
 * Clears away what users said of the music who have no account any more: their marks and bookmarks, their queue, what
 * they shared, and their playlists.
 * A playlist that others may read goes on under the heir, but a smart one does not: it was made of the marks of its
 * owner. Whatever is done already stays done, so that it may end anywhere and be called again.
 */
export async function clearDeparted(options: DepartedOptions, signal: AbortSignal): Promise<void> {
  const { store, isUser } = options
  await clearUsers(options, marks, signal)
  await clearUsers(options, bookmarks, signal)
  for await (const { id } of queues.walk(store, { skip: ignore }, signal)) {
    if (!(await isUser(id, signal))) await update(store, queues, id, () => null, signal)
  }
  const owners = new Map<Id, boolean>()
  const isThere = async (owner: Id) => {
    const known = owners.get(owner) ?? (await isUser(owner, signal))
    owners.set(owner, known)
    return known
  }
  for await (const { id, value } of shares.walk(store, { skip: ignore }, signal)) {
    if (!(await isThere(value.owner))) await update(store, shares, id, () => null, signal)
  }
  for await (const { id, value } of playlists.walk(store, { skip: ignore }, signal)) {
    if (!(await isThere(value.owner))) await passOn(options, id, value.owner, signal)
  }
}

/** What a newer version wrote is the business of that version. */
const ignore = () => undefined

/** Clears facts whose ids begin with that of a user. */
async function clearUsers<Value>(
  { store, isUser }: DepartedOptions,
  facts: Collection<Value>,
  signal: AbortSignal,
): Promise<void> {
  for await (const user of usersOf(store, facts, signal)) {
    if (!(await isUser(user, signal))) await removeAll(store, facts, user, signal)
  }
}

/** Each user once: the keys of one stand together, and the walk leaps over them. */
async function* usersOf<Value>(
  store: Store,
  facts: Collection<Value>,
  signal: AbortSignal,
): AsyncGenerator<Id> {
  let after: string | undefined
  for (;;) {
    const options = { limit: 1, ...(after !== undefined && { after }) }
    const [first] = (await store.list(facts.prefix, options, signal)).entries
    if (first === undefined) return
    const user = facts.id(first.key).split('/', 1)[0] ?? ''
    yield user
    // `0` comes after `/`.
    after = facts.key(`${user}0`)
  }
}

const atOnce = 100

async function removeAll<Value>(
  store: Store,
  collection: Collection<Value>,
  user: Id,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { facts } = await collection.list(store, { under: `${user}/`, limit: atOnce }, signal)
    if (facts.length === 0) return
    const outcome = await store.commit(
      join(...facts.map(({ id, revision }) => collection.remove(id, revision))),
      signal,
    )
    // Somebody writes them still: a request that was under way when the account went. The next call finds the rest.
    if (!outcome.ok) return
  }
}

async function passOn(
  { store, heir }: DepartedOptions,
  id: Id,
  owner: Id,
  signal: AbortSignal,
): Promise<void> {
  const next = await heir(signal)
  await update(
    store,
    playlists,
    id,
    (playlist) => {
      if (playlist === null || playlist.owner !== owner) return playlist
      if (!isReadByOthers(playlist)) return null
      return next === null ? playlist : { ...playlist, owner: next }
    },
    signal,
  )
}

function isReadByOthers({ sharedWith, rules, owner }: Playlist): boolean {
  if (rules !== undefined || sharedWith === 'nobody') return false
  return sharedWith === 'everyone' || sharedWith.some((user) => user !== owner)
}
