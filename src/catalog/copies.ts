import type { SQLOutputValue } from 'node:sqlite'
import type { InPlace, PlacedFile, Reader } from '../blobs/blobs.ts'
import type { Referenced, References } from '../blobs/copies/whereabouts.ts'
import type { Index } from '../index/index.ts'
import type { BlobHash, Id } from '../protocol/ids.ts'
import { integer, text } from '../store/row.ts'
import type { Store } from '../store/store.ts'
import { createBreather } from './breathe.ts'
import { albumParts } from './facts.ts'
import { guidBytes } from './index/guid.ts'
import type { Places } from './places.ts'
import { pathBytes } from './scan/path.ts'

type HashedFile = PlacedFile & { readonly hash: BlobHash }

/** What the catalog knows of bytes: which blobs its tracks need, and which files of music folders hold the same. */
export interface Copies {
  /** Whether a track needs this blob. Only as good as the index: it must have caught up. */
  isReferenced(hash: BlobHash): boolean
  /** The same, with sizes and with the nodes that have the content in a music folder. */
  readonly references: References
  /** The blobs of an album part's tracks, by the key of its fact; none for other keys. */
  blobsOf(key: string): BlobHash[]
  /** The files of this node's music folders whose content this is. */
  filesInPlace(hash: BlobHash): HashedFile[]
  /** Opens the files of music folders whose content this is, one after another. */
  inMusicFolders(hash: BlobHash, inPlace: Pick<InPlace, 'open'>): AsyncGenerator<Reader>
  /** The hashed files of music folders in a steady order, after the key `after` where one is given. */
  hashedFiles(after?: string): AsyncGenerator<{ readonly key: string; readonly file: HashedFile }>
}

const pageRows = 500

export function createCopies(
  index: Pick<Index, 'statement'>,
  places: Pick<Places, 'root' | 'nodeOf'>,
): Copies {
  const hashed = `SELECT library.guid AS library, file.path, track.size, file.modified_at, lower(hex(track.blob)) AS blob
    FROM file JOIN library ON library.id = file.library JOIN track ON track.id = file.track`

  function fileOf(row: Record<string, SQLOutputValue>): HashedFile[] {
    const root = places.root(text(row.library))
    if (root === null) return []
    const path = pathBytes(text(row.path))
    return [
      { root, path, size: integer(row.size), modifiedAt: integer(row.modified_at), hash: text(row.blob) },
    ]
  }

  function tracksWith(hash: BlobHash, sql: string) {
    const bytes = Buffer.from(hash, 'hex')
    return index.statement(sql).all(bytes.subarray(0, 8), bytes)
  }

  function filesInPlace(hash: BlobHash): HashedFile[] {
    return tracksWith(hash, `${hashed} WHERE substr(track.blob, 1, 8) = ? AND track.blob = ?`).flatMap(fileOf)
  }

  /** Tracks of one content are one blob: their rows follow one another. */
  function referencedIn(rows: readonly Record<string, SQLOutputValue>[]): Referenced[] {
    const found = new Map<BlobHash, { hash: BlobHash; size: number; inPlace: Set<Id> }>()
    for (const row of rows) {
      const hash = text(row.blob)
      const blob = found.get(hash) ?? { hash, size: integer(row.size), inPlace: new Set<Id>() }
      const node = row.library === null ? null : places.nodeOf(text(row.library))
      if (node !== null) blob.inPlace.add(node)
      found.set(hash, blob)
    }
    return [...found.values()].map((blob) => ({ ...blob, inPlace: [...blob.inPlace] }))
  }

  const withPlaces = `SELECT lower(hex(track.blob)) AS blob, track.size, library.guid AS library FROM track
    LEFT JOIN file ON file.track = track.id LEFT JOIN library ON library.id = file.library`
  const references: References = {
    get(hash) {
      const rows = tracksWith(hash, `${withPlaces} WHERE substr(track.blob, 1, 8) = ? AND track.blob = ?`)
      return referencedIn(rows)[0] ?? null
    },
    page(after, limit) {
      const from = Buffer.from(after ?? '', 'hex')
      const hashes = index
        .statement(
          `SELECT DISTINCT lower(hex(blob)) AS blob FROM track WHERE blob IS NOT NULL
             AND substr(blob, 1, 8) >= ? AND blob > ? ORDER BY substr(blob, 1, 8), blob LIMIT ?`,
        )
        .all(from.subarray(0, 8), from, limit)
      return hashes.flatMap((row) => references.get(text(row.blob)) ?? [])
    },
  }

  return {
    references,
    filesInPlace,
    blobsOf(key) {
      if (!key.startsWith(albumParts.prefix)) return []
      const [album = '', part = ''] = albumParts.id(key).split('/')
      const rows = index
        .statement(
          `SELECT DISTINCT lower(hex(blob)) AS blob FROM track WHERE blob IS NOT NULL AND part = ?
             AND album = (SELECT id FROM album WHERE guid = ?)`,
        )
        .all(Number(part), guidBytes(album))
      return rows.map((row) => text(row.blob))
    },
    isReferenced(hash) {
      return tracksWith(hash, 'SELECT 1 FROM track WHERE substr(blob, 1, 8) = ? AND blob = ?').length > 0
    },

    async *inMusicFolders(hash, inPlace) {
      for (const file of filesInPlace(hash)) {
        const reader = await inPlace.open(file).catch(() => null)
        if (reader === null) continue
        using copy = reader
        yield copy
      }
    },

    async *hashedFiles(after) {
      const cut = after?.indexOf('/') ?? -1
      let library = after === undefined ? '' : after.slice(0, cut)
      let path = after === undefined ? '' : after.slice(cut + 1)
      const breathe = createBreather()
      const libraries = index.statement('SELECT guid FROM library WHERE guid >= ? ORDER BY guid').all(library)
      for (const { guid } of libraries) {
        if (guid !== library) path = ''
        library = text(guid)
        for (;;) {
          const rows = index
            .statement(
              `${hashed} WHERE file.library = (SELECT id FROM library WHERE guid = ?) AND file.path > ?
               ORDER BY file.path LIMIT ${pageRows}`,
            )
            .all(library, path)
          for (const row of rows) {
            path = text(row.path)
            if (row.blob === null || row.blob === '') continue
            for (const file of fileOf(row)) yield { key: `${library}/${path}`, file }
          }
          if (rows.length < pageRows) break
          // Whoever only counts the files waits for nothing in between.
          await breathe()
        }
      }
    },
  }
}

/**
 * The names of all blobs that the facts refer to. Throws at a fact that cannot be read (FACT_NEWER, FACT_DAMAGED): it
 * might refer to any blob, and on this answer blobs are deleted (B4).
 */
export async function blobsInFacts(store: Store, signal: AbortSignal): Promise<ReadonlySet<BlobHash>> {
  const found = new Set<BlobHash>()
  for await (const { value } of albumParts.walk(store, {}, signal)) {
    for (const { blob } of value.tracks) if (blob !== undefined) found.add(blob)
  }
  return found
}
