import type { SQLOutputValue } from 'node:sqlite'
import type { InPlace, PlacedFile, Reader } from '../blobs/blobs.ts'
import type { References } from '../blobs/copies/whereabouts.ts'
import type { Index } from '../index/index.ts'
import { remember } from '../index/remember.ts'
import type { BlobHash, Id } from '../protocol/ids.ts'
import { integer, text } from '../store/row.ts'
import type { Store } from '../store/store.ts'
import { createBreather } from './breathe.ts'
import { albumParts, problemId } from './facts.ts'
import { guidBytes } from './index/guid.ts'
import { selectFiles } from './index/track-files.ts'
import type { Places } from './places.ts'
import { pathBytes } from './scan/path.ts'

type HashedFile = PlacedFile & { readonly hash: BlobHash }

/**
 * What the catalog knows of bytes: which blobs it needs, those of tracks and of what lies beside them, and which files of
 * music folders hold the same.
 */
export interface Copies {
  /** Whether the catalog needs this blob. Only as good as the index: it must have caught up. */
  isReferenced(hash: BlobHash): boolean
  /**
   * The same, with sizes and with the nodes that have the content in a music folder. One whose folder is not there (its
   * disk is unplugged, LIBRARY_GONE) has it no more after fifteen minutes.
   */
  readonly references: References
  /** Whether the fact of this key may name blobs. */
  concerns(key: string): boolean
  /** The blobs of a part of an album, by the key of its fact; none for other keys. */
  blobsOf(key: string): BlobHash[]
  /** The files of this node's music folders whose content this is. */
  filesInPlace(hash: BlobHash): HashedFile[]
  /** Opens the files of music folders whose content this is, one after another. */
  inMusicFolders(hash: BlobHash, inPlace: Pick<InPlace, 'open'>): AsyncGenerator<Reader>
  /** The hashed files of music folders in a steady order, after the key `after` where one is given. */
  hashedFiles(after?: string): AsyncGenerator<{ readonly key: string; readonly file: HashedFile }>
}

const pageRows = 500
/** Someone may unplug a disk for a while, as a machine may be silent: it is only then that all of it is copied elsewhere. */
const awayMs = 15 * 60_000

const fileColumns =
  'library.guid AS library, file.path, track.size, file.modified_at, lower(hex(track.blob)) AS blob'
const trackFiles = `SELECT ${fileColumns}
  FROM file JOIN library ON library.id = file.library JOIN track ON track.id = file.track`
const filesBeside = `SELECT library.guid AS library, beside.path, beside.size, beside.modified_at,
    lower(hex(beside.blob)) AS blob FROM beside JOIN library ON library.id = beside.library`
const ofLibrary = (table: string) =>
  `${table}.library = (SELECT id FROM library WHERE guid = ?1) AND ${table}.path > ?2 ORDER BY ${table}.path LIMIT ${pageRows}`
const withHash = (table: string) => `substr(${table}.blob, 1, 8) = ?1 AND ${table}.blob = ?2`
const hashesAfter = (table: string) =>
  `SELECT DISTINCT blob FROM ${table} WHERE blob IS NOT NULL AND substr(blob, 1, 8) >= ?1 AND blob > ?2
   ORDER BY substr(blob, 1, 8), blob LIMIT ?3`
const hashesOf = (table: string) =>
  `SELECT lower(hex(blob)) AS blob FROM ${table} WHERE blob IS NOT NULL AND part = ?1
     AND album = (SELECT id FROM album WHERE guid = ?2)`

const questions = {
  filesInPlace: `${selectFiles(fileColumns, `CROSS JOIN library ON library.id = file.library WHERE ${withHash('track')}`)} UNION ${filesBeside} WHERE ${withHash('beside')}`,
  // A place may be named by several albums, and each row would be one more to read.
  hashedFiles: `SELECT * FROM (${trackFiles} WHERE ${ofLibrary('file')})
    UNION SELECT * FROM (${filesBeside} WHERE ${ofLibrary('beside')}) ORDER BY path LIMIT ${pageRows}`,
  references: `SELECT lower(hex(track.blob)) AS blob, track.size, library.guid AS library FROM track
      LEFT JOIN library ON library.id = track.library WHERE ${withHash('track')}
    UNION SELECT lower(hex(track.blob)), track.size, library.guid FROM track
      CROSS JOIN file ON file.track = track.id AND file.other = 1
      CROSS JOIN library ON library.id = file.library WHERE ${withHash('track')}
    UNION SELECT lower(hex(beside.blob)), beside.size, library.guid FROM beside
      JOIN library ON library.id = beside.library WHERE ${withHash('beside')}`,
  hashesAfter: `SELECT lower(hex(blob)) AS blob FROM
    (SELECT * FROM (${hashesAfter('track')}) UNION SELECT * FROM (${hashesAfter('beside')})) ORDER BY 1 LIMIT ?3`,
  hashesOf: `${hashesOf('track')} UNION ${hashesOf('beside')}`,
  isReferenced: `SELECT 1 FROM track WHERE ${withHash('track')} UNION ALL SELECT 1 FROM beside WHERE ${withHash('beside')}
    LIMIT 1`,
}

export function createCopies(
  index: Pick<Index, 'statement' | 'revision'>,
  places: Pick<Places, 'root' | 'nodeOf'>,
): Copies {
  /** Since when a library's folder cannot be found on its node; null: it is there. */
  const awaySince = remember(
    index,
    (library: Id) => library,
    (library: Id): number | null => {
      const row = index
        .statement(`SELECT at FROM problem WHERE key = ? AND code = 'LIBRARY_GONE'`)
        .get(problemId(library, ''))
      return row === undefined ? null : integer(row.at)
    },
  )

  /** The node on whose disk a library is, unless its folder has been away for so long that nobody may count on it. */
  function nodeWith(library: Id): Id[] {
    const since = awaySince(library)
    const node = places.nodeOf(library)
    return node === null || (since !== null && Date.now() - since > awayMs) ? [] : [node]
  }

  function fileOf(row: Record<string, SQLOutputValue>): HashedFile[] {
    const root = places.root(text(row.library))
    if (root === null) return []
    const path = pathBytes(text(row.path))
    return [
      { root, path, size: integer(row.size), modifiedAt: integer(row.modified_at), hash: text(row.blob) },
    ]
  }

  function rowsWith(hash: BlobHash, question: string) {
    const bytes = Buffer.from(hash, 'hex')
    return index.statement(question).all(bytes.subarray(0, 8), bytes)
  }

  const filesInPlace = (hash: BlobHash) => rowsWith(hash, questions.filesInPlace).flatMap(fileOf)

  const references: References = {
    get(hash) {
      const rows = rowsWith(hash, questions.references)
      const [first] = rows
      if (first === undefined) return null
      const inPlace = rows.flatMap(({ library }) => (library === null ? [] : nodeWith(text(library))))
      return { hash, size: integer(first.size), inPlace: [...new Set(inPlace)] }
    },
    page(after, limit) {
      const from = Buffer.from(after ?? '', 'hex')
      const hashes = index.statement(questions.hashesAfter).all(from.subarray(0, 8), from, limit)
      return hashes.flatMap((row) => references.get(text(row.blob)) ?? [])
    },
  }

  return {
    references,
    filesInPlace,
    concerns: (key) => key.startsWith(albumParts.prefix),
    blobsOf(key) {
      if (!key.startsWith(albumParts.prefix)) return []
      const [album = '', part = ''] = albumParts.id(key).split('/')
      const rows = index.statement(questions.hashesOf).all(Number(part), guidBytes(album))
      return rows.map((row) => text(row.blob))
    },
    isReferenced: (hash) => rowsWith(hash, questions.isReferenced).length > 0,

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
          const rows = index.statement(questions.hashedFiles).all(library, path)
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
    for (const { blob, files } of value.tracks) {
      for (const hash of [blob, ...files.flatMap(({ lyrics, cover }) => [lyrics?.blob, cover?.blob])])
        if (hash !== undefined) found.add(hash)
    }
  }
  return found
}
