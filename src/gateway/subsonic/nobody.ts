import { nobody } from '../../catalog/nobody.ts'
import { artist, artistChild, artistFolder } from './artist.ts'
import type { Content, Flow } from './content.ts'
import type { Asking, Parts } from './endpoint.ts'
import { pageOf, wholeList } from './written.ts'

/**
 * What names no artist, shown below one who stands for nobody: apps that browse by artists or folders would not find it.
 * There is one while there are such albums, last of those whose names begin with no letter.
 */

export function isNobody(id: string): boolean {
  return id === nobody
}

/** As an artist, or as a folder; undefined where nothing is without an artist. */
export async function nobodyOf(
  { listing }: Pick<Parts, 'listing'>,
  { viewer, signal }: Pick<Asking, 'viewer' | 'signal'>,
  folders: boolean,
): Promise<Content | undefined> {
  const known = await listing.artistOfNobody(viewer, signal)
  return known && (folders ? artistFolder : artist).content(known)
}

/** The same in the music folder `parent`. */
export async function nobodyIn(
  { listing }: Pick<Parts, 'listing'>,
  { viewer, signal }: Pick<Asking, 'viewer' | 'signal'>,
  parent: string,
): Promise<Content | undefined> {
  const known = await listing.artistOfNobody(viewer, signal)
  return known && artistChild.content({ ...known, parent })
}

/** However many there are: they are read as they are sent. */
export function albumsOfNobody(parts: Parts, asking: Asking, element: string, folders: boolean): Flow {
  return wholeList((page) =>
    pageOf(
      parts,
      asking,
      { kind: 'album', query: { order: 'artist', artist: nobody, ...page } },
      { element, folders },
    ),
  )
}
