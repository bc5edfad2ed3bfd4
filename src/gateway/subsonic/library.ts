import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import type { LibrarySummary } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Asking } from './endpoint.ts'
import { notFound } from './failure.ts'
import { many, text } from './parameters.ts'

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
  return libraryOf(await catalog.libraries(viewer, signal), given)
}

function libraryOf(libraries: readonly LibrarySummary[], given: string): LibrarySummary {
  const found = libraries.find(({ id }) => String(folderNumber(id)) === given || id === given)
  if (found === undefined) throw notFound('music folder')
  return found
}

/** The music folders that are asked for; clients leave the parameter empty as well, and send it once for each of several. */
export const musicFolders = many(text).transform((given) => given.filter((each) => each !== ''))

/** The same request, of what is in these music folders only, where there are any. Failure 70. */
export async function inFolders(
  catalog: Pick<Catalog, 'libraries'>,
  asking: Asking,
  given: readonly string[],
): Promise<Asking> {
  if (given.length === 0) return asking
  const known = await catalog.libraries(asking.viewer, asking.signal)
  const libraries = given.map((each) => libraryOf(known, each).id)
  return { ...asking, viewer: { ...asking.viewer, libraries } }
}
