import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import { playlists } from '../../listening/facts.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { MarkKind } from '../../protocol/facts/listening.ts'
import { id as guid, type Id } from '../../protocol/ids.ts'
import type { Asking, Parts } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'

/** What an id may name. The API has one namespace for all of them, and clients mix them freely. */
export interface Item {
  readonly kind: MarkKind
  readonly id: Id
  readonly name: string
}

/** What the id names among `kinds`, as far as the viewer sees it, or null. */
export function findItem(
  catalog: Pick<Catalog, 'nameOf'>,
  viewer: Viewer,
  given: string,
  kinds: readonly MarkKind[] = ['track', 'album', 'artist'],
): Item | null {
  const id = guid.safeParse(given)
  if (!id.success) return null
  for (const kind of kinds) {
    try {
      return { kind, id: id.data, name: catalog.nameOf(viewer, kind, id.data) }
    } catch (error) {
      if (!isCoded(error, 'NOT_FOUND')) throw error
    }
  }
  return null
}

/** A parameter's words for the kinds, as failures say them. */
const itemNames = { track: 'song', album: 'album', artist: 'artist' } as const

/** The id, where it names one of that kind. Failure 70. */
export function requireItem(
  catalog: Pick<Catalog, 'nameOf'>,
  viewer: Viewer,
  given: string,
  kind: MarkKind,
): Id {
  const found = findItem(catalog, viewer, given, [kind])
  if (found === null) throw notFound(itemNames[kind])
  return found.id
}

/** The id as a GUID; what cannot be one names nothing. Failure 70. */
export function requireGuid(given: string, what: string): Id {
  const parsed = guid.safeParse(given)
  if (!parsed.success) throw notFound(what)
  return parsed.data
}

/** Runs `work` on a playlist; one that is there but not for the asker is failure 50, as the API wants it. */
export async function onPlaylist<Value>(
  { store }: Parts,
  { signal }: Asking,
  given: string,
  work: (id: Id) => Promise<Value>,
): Promise<Value> {
  const id = requireGuid(given, 'playlist')
  try {
    return await work(id)
  } catch (error) {
    const isHidden = isCoded(error, 'NOT_FOUND') && (await playlists.get(store, id, signal)) !== null
    throw isHidden ? new Failure(50, 'This playlist belongs to someone else') : error
  }
}
