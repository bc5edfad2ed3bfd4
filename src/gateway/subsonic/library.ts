import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import type { LibrarySummary } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { notFound } from './failure.ts'

/**
 * The API numbers music folders, and some clients read the number into 32 bits. It is the start of the library's id,
 * so that it stays the same for as long as the library is there.
 */
export function folderNumber(library: Id): number {
  return Number.parseInt(library.slice(0, 8), 16) % 2 ** 31
}

/** The library that a client calls by its number, or by its id. Failure 70. */
export async function findLibrary(
  catalog: Pick<Catalog, 'libraries'>,
  viewer: Viewer,
  given: string,
  signal: AbortSignal,
): Promise<LibrarySummary> {
  const libraries = await catalog.libraries(viewer, signal)
  const found = libraries.find(({ id }) => String(folderNumber(id)) === given || id === given)
  if (found === undefined) throw notFound('music folder')
  return found
}

/** The id of the library that is asked for, where one is. */
export async function libraryOf(
  catalog: Pick<Catalog, 'libraries'>,
  viewer: Viewer,
  given: string | undefined,
  signal: AbortSignal,
): Promise<Id | undefined> {
  return given === undefined ? undefined : (await findLibrary(catalog, viewer, given, signal)).id
}
