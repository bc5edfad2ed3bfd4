import { hash } from 'node:crypto'
import { albumPart, alias, library, problem } from '../protocol/facts/catalog.ts'
import { defineCollection } from '../store/collection.ts'

/** The catalog's facts as collections; what they hold is explained in `src/protocol/facts/catalog.ts`. */

export const libraries = defineCollection({ prefix: 'catalog/libraries/', version: 1, schema: library })

/** Ids are `<albumId>/<part>`, part being `000`, `001`, …: see `partId`. */
export const albumParts = defineCollection({
  prefix: 'catalog/albums/',
  version: 3,
  schema: albumPart,
  // The second form may name movements and groupings, the third the blobs of what lies beside the music: a node that knows
  // only the form before would lose them.
  upgrades: { 1: (data) => data, 2: (data) => data },
  compress: true,
})

/** Ids are `<libraryId>/<hash of the path>`. */
export const problems = defineCollection({ prefix: 'catalog/problems/', version: 1, schema: problem })

export const aliases = defineCollection({ prefix: 'catalog/aliases/', version: 1, schema: alias })

/** The id of what is wrong at a path of a library; the empty path is the library itself. */
export function problemId(library: string, path: string): string {
  return `${library}/${hash('sha256', path, 'hex').slice(0, 32)}`
}

export function partId(album: string, part: number): string {
  return `${album}/${String(part).padStart(3, '0')}`
}
