import { hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ownNumbers, sharedNumbers, shareNumbers } from '../../index/numbers.ts'
import type { AlbumPart, Library, Tags, Track } from '../../protocol/facts/catalog.ts'
import type { Mark, MarkKind } from '../../protocol/facts/listening.ts'
import { marksDefinition } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import { defineCollection } from '../../store/collection.ts'
import { derivedId } from '../../store/derived-id.ts'
import { bytes, integer, text } from '../../store/row.ts'
import { albumParts, libraries } from '../facts.ts'
import { guidOf } from './guid.ts'
import { lists } from './lists.ts'
import { readMembers } from './members.ts'
import { projection } from './projection.ts'
import { selectFiles } from './track-files.ts'

/** The catalog's tables in memory, for tests: facts are put and taken, and each step is one transaction. */
export interface TestIndex extends Disposable {
  readonly db: DatabaseSync
  put(...parts: readonly AlbumPart[]): void
  putPart(part: AlbumPart, number: string): void
  take(...albums: readonly Id[]): void
  putLibrary(library: Library | Id): void
  takeLibrary(id: Id): void
  mark(user: Id, kind: MarkKind, item: Id, mark: Partial<Mark> | null): void
  /** Any changes as one transaction. */
  apply(changes: readonly (readonly [key: string, value: Uint8Array | null])[]): void
}

const marks = defineCollection(marksDefinition)

export function openTestIndex(): TestIndex {
  const db = new DatabaseSync(':memory:')
  db.exec(projection.schema + projection.indexes)
  return testIndexOf(db)
}

/** Follows changes in tables that are there. Its disposal closes them. */
export function testIndexOf(db: DatabaseSync): TestIndex {
  const applier = projection.open(db, 'follow', ownNumbers)
  let revision = 0

  function apply(changes: readonly (readonly [key: string, value: Uint8Array | null])[]): void {
    revision += 1
    db.exec('BEGIN')
    for (const [key, value] of changes) applier.apply({ key, value, revision })
    applier.flush?.()
    db.exec('COMMIT')
  }

  return {
    db,
    apply,
    put: (...parts) => apply(parts.map((part) => [partKey(part.album), albumParts.encode(part)])),
    putPart: (part, number) => apply([[partKey(part.album, number), albumParts.encode(part)]]),
    take: (...albums) => apply(albums.map((album) => [partKey(album), null])),
    putLibrary: (library) => {
      const fact = typeof library === 'string' ? libraryFact(library) : library
      apply([[libraries.key(fact.id), libraries.encode(fact)]])
    },
    takeLibrary: (id) => apply([[libraries.key(id), null]]),
    mark: (user, kind, item, mark) =>
      apply([
        [
          marks.key(`${user}/${kind}/${item}`),
          mark === null ? null : marks.encode({ playCount: 0, ...mark }),
        ],
      ]),
    [Symbol.dispose]: () => db.close(),
  }
}

/** The tables as an empty index is filled with facts: some at a time, in the order of their keys. */
export function fillTestIndex(facts: ReadonlyMap<string, Uint8Array>): { db: DatabaseSync } & Disposable {
  const db = new DatabaseSync(':memory:')
  db.exec(projection.schema)
  const applier = projection.open(db, 'fill', ownNumbers)
  db.exec('BEGIN')
  for (const [key, value] of [...facts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    applier.apply({ key, value, revision: 1 })
    applier.flush?.()
  }
  applier.filled?.()
  db.exec(projection.indexes ?? '')
  db.exec('COMMIT')
  return { db, [Symbol.dispose]: () => db.close() }
}

/** The same by two threads' worth of parts, in files of `folder`, which are then put together. */
export async function fillTestIndexInParts(
  facts: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Promise<{ db: DatabaseSync } & Disposable> {
  const { parts: divided } = projection
  if (divided === undefined) throw new Error('the catalog is not filled in parts')
  const sorted = [...facts].sort(([a], [b]) => (a < b ? -1 : 1))
  const numbers = shareNumbers(1_024)
  const files = ['one', 'two'].map((name) => join(folder, `${name}.db`))
  const albumsOf = (key: string) => key.slice(0, key.lastIndexOf('/'))
  const albums = [...new Set(sorted.map(([key]) => albumsOf(key)))]
  for (const [part, file] of files.entries()) {
    rmSync(file, { force: true })
    using db = new DatabaseSync(file)
    db.exec(projection.schema)
    const applier = projection.open(db, 'part', sharedNumbers(numbers))
    for (const [key, value] of sorted) {
      if (!key.startsWith(divided.prefix) || albums.indexOf(albumsOf(key)) % 2 !== part) continue
      applier.apply({ key, value, revision: 1 })
      applier.flush?.()
    }
    applier.filled?.()
  }
  const whole = join(folder, 'whole.db')
  rmSync(whole, { force: true })
  {
    using db = new DatabaseSync(whole)
    db.exec(projection.schema)
    const attached = files.map((path, part) => ({ path, name: `part${part}` }))
    for (const { path, name } of attached) db.prepare('ATTACH ? AS ?').run(path, name)
    await divided.merge(db, attached, () => undefined)
  }
  const db = new DatabaseSync(whole)
  const applier = projection.open(db, 'rest', ownNumbers)
  applier.flush?.()
  for (const [key, value] of sorted) {
    if (key.startsWith(divided.prefix)) continue
    applier.apply({ key, value, revision: 1 })
    applier.flush?.()
  }
  applier.filled?.()
  db.exec(projection.indexes ?? '')
  return { db, [Symbol.dispose]: () => db.close() }
}

export function partKey(album: Id, part = '000'): string {
  return albumParts.key(`${album}/${part}`)
}

export function libraryFact(id: Id, visibleTo: Library['visibleTo'] = 'everyone'): Library {
  return {
    id,
    name: `Library ${id.slice(0, 4)}`,
    kind: 'folder',
    path: `/music/${id}`,
    visibleTo,
    createdAt: 1,
  }
}

export const home = derivedId('library home')

export interface Song extends Partial<Omit<Tags, 'artists' | 'albumArtists' | 'title' | 'album'>> {
  readonly title: string
  readonly artist?: string | readonly string[]
  readonly libraries?: readonly Id[]
  readonly addedAt?: number
  readonly id?: Id
  /** What its file holds; where nothing is said, it has not been read whole yet. */
  readonly content?: string
  /** A picture of this time beside it, and whether it has been read whole. */
  readonly beside?: { readonly modifiedAt: number; readonly isRead: boolean }
}

/** An album of songs that say what is given, and little else. */
export function albumOf(name: string, artist: string, songs: readonly (string | Song)[]): AlbumPart {
  const album = derivedId(`album ${name} ${artist}`)
  return {
    album,
    tracks: songs.map((song, at) =>
      trackOf(name, artist, typeof song === 'string' ? { title: song } : song, at),
    ),
  }
}

function pictureBeside({ modifiedAt, isRead }: NonNullable<Song['beside']>) {
  const cover = { blob: hash('sha256', `picture ${modifiedAt}`), size: modifiedAt }
  return { coverFile: 'cover.jpg', coverModifiedAt: modifiedAt, ...(isRead && { cover }) }
}

function trackOf(album: string, albumArtist: string, song: Song, at: number): Track {
  const {
    title,
    artist = albumArtist,
    libraries: places = [home],
    addedAt = 1_000,
    id,
    content,
    beside,
    ...tags
  } = song
  const names = typeof artist === 'string' ? [artist] : artist
  const trackId = id ?? derivedId(`track ${album} ${albumArtist} ${at}`)
  return {
    id: trackId,
    tags: {
      title,
      artists: names.filter((name) => name !== '').map((name) => ({ name })),
      albumArtists: albumArtist === '' ? [] : [{ name: albumArtist }],
      ...(album === '' ? {} : { album }),
      track: at + 1,
      genres: [],
      moods: [],
      composers: [],
      contributors: [],
      labels: [],
      works: [],
      releaseTypes: [],
      compilation: false,
      isrcs: [],
      musicBrainz: {},
      embeddedLyrics: false,
      embeddedCover: false,
      ...tags,
    },
    audio: {
      codec: 'flac',
      mediaType: 'audio/flac',
      suffix: 'flac',
      durationMs: 180_000,
      bitrate: 800,
      sampleRate: 44_100,
      channels: 2,
    },
    size: 1_000,
    fingerprint:
      content === undefined ? trackId.replaceAll('-', '') : hash('sha256', `tags of ${content}`).slice(0, 32),
    ...(content === undefined ? {} : { blob: hash('sha256', content) }),
    files: places.map((library, place) => ({
      library,
      path: `${place === 0 ? '' : 'Again/'}${albumArtist}/${album}/${String(at).padStart(2, '0')} ${title}.flac`,
      ...(beside === undefined ? {} : pictureBeside(beside)),
      modifiedAt: 1,
    })),
    addedAt,
    updatedAt: addedAt,
  }
}

/**
 * Everything that the tables say, in words that do not depend on the order in which it came there: rows without their
 * numbers, sorted.
 */
export function contentOf(db: DatabaseSync): Record<string, readonly string[]> {
  const guids = (table: string) =>
    new Map(
      db
        .prepare(`SELECT id, guid FROM ${table}`)
        .all()
        .map((row) => [integer(row.id), guidOf(bytes(row.guid))]),
    )
  const owners = { artist: guids('artist'), album: guids('album'), track: guids('track') }
  const all = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) =>
        JSON.stringify(row, (_key, value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
        ),
      )
      .sort()
  const libraries = (column: string) => `(SELECT libraries FROM scope WHERE scope.id = ${column})`
  const listName = `iif(list < 100, list, (SELECT iif(list % 2, 'tracks ', 'albums ') || fold FROM genre WHERE genre.id = (list - 100) / 2))`
  const genres = (column: string, table: string) =>
    `(SELECT json_group_array(name ORDER BY name) FROM ${table} WHERE instr(',' || ${column} || ',', ',' || ${table}.id || ','))`
  const scopes = new Map(
    db
      .prepare('SELECT id, libraries FROM scope')
      .all()
      .map((row) => [integer(row.id), text(row.libraries)]),
  )
  const documents = Object.entries(owners).flatMap(([kind, owner]) => {
    db.exec(`CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, ${kind}_search, instance)`)
    const rows = db.prepare('SELECT term, doc, col FROM temp.words').all()
    db.exec('DROP TABLE temp.words')
    return rows.map((row) => {
      const document = integer(row.doc)
      const weight = 15 - Math.floor(document / 2 ** 32)
      const code = text(row.term).codePointAt(0) ?? 0
      const term = code < 0xf0000 ? text(row.term) : `in ${scopes.get(code - 0xf0000)}`
      return `${kind} ${owner.get(document % 2 ** 32)} ${weight} ${term} ${row.col}`
    })
  })
  const members = db
    .prepare(`SELECT DISTINCT list, scope, ${listName} AS name FROM member`)
    .all()
    .flatMap(({ list, scope, name }) =>
      readMembers(db, integer(list), [integer(scope)])
        .all()
        .map((id) => {
          const isOfAlbums = list === lists.albumsByName || `${name}`.startsWith('albums ')
          return `${name} ${scopes.get(integer(scope))} ${owners[isOfAlbums ? 'album' : 'track'].get(id)}`
        }),
    )
  return {
    tracks: all(
      `SELECT track.guid, album.guid AS album, part, disc, number, title, track.sort, track.artist, track.year,
         track.duration, track.size, bitrate, picture, fingerprint, blob, track.added, track.updated, codec,
         ${libraries('track.scope')} AS libraries, ${genres('track.genres', 'genre_name')} AS genres
       FROM track JOIN album ON album.id = track.album JOIN format ON format.id = track.format`,
    ),
    albums: all(
      `SELECT album.guid, name, album.sort, album.artist, artist_sort, album.year, album.tracks, album.duration,
         album.size, album.compilation, album.added, album.updated, cover.guid AS cover,
         ${libraries('album.scope')} AS libraries, ${genres('album.genres', 'genre')} AS genres
       FROM album LEFT JOIN track AS cover ON cover.id = album.cover`,
    ),
    parts: all('SELECT album.guid, part, summary FROM album_part JOIN album ON album.id = album_part.album'),
    beside: all(
      `SELECT library.guid, path, album.guid AS album, part, modified_at, beside.size, hex(blob) AS blob FROM beside
       JOIN album ON album.id = beside.album JOIN library ON library.id = beside.library`,
    ),
    credits: all(
      `SELECT track.guid, credit.role, position, artist.guid AS artist, spelling.name, detail FROM credit
       JOIN track ON track.id = credit.track JOIN artist ON artist.id = credit.artist
       JOIN spelling ON spelling.id = credit.spelling`,
    ),
    albumCredits: all(
      `SELECT album.guid, role, artist.guid AS artist, iif(role = 0, position, 0) AS position FROM album_credit
       JOIN album ON album.id = album_credit.album JOIN artist ON artist.id = album_credit.artist`,
    ),
    artists: all(
      `SELECT guid, name, sort, musicbrainz, tracks, albums, ${libraries('scope')} AS libraries,
         ${libraries('album_scope')} AS album_libraries FROM artist`,
    ),
    artistCounts: all(
      `SELECT artist.guid, ${libraries('artist_count.scope')} AS libraries, artist_count.tracks, artist_count.albums
       FROM artist_count JOIN artist ON artist.id = artist_count.artist`,
    ),
    spellings: all(
      'SELECT artist.guid, spelling.name, spelling.sort, uses FROM spelling JOIN artist ON artist.id = artist',
    ),
    genres: all(
      `SELECT genre.fold, genre.name, genre_name.name AS written, uses FROM genre
       LEFT JOIN genre_name ON genre_name.genre = genre.id`,
    ),
    genreCounts: all(
      `SELECT fold, ${libraries('scope')} AS libraries, tracks, albums FROM genre_count JOIN genre ON genre.id = genre`,
    ),
    scopes: all(
      'SELECT libraries, tracks, albums, duration, bytes FROM scope WHERE tracks > 0 OR albums > 0',
    ),
    entries: all(`SELECT ${listName} AS list, key, ${libraries('scope')} AS libraries FROM entry`),
    counted: all(
      `SELECT ${listName} AS list, ${libraries('scope')} AS libraries, sum(count) AS count FROM block GROUP BY list, scope`,
    ),
    members: members.sort(),
    files: all('SELECT library, path, size, modified_at, track, fingerprint, album FROM files'),
    places: all(
      selectFiles(
        'track.guid, library.guid AS library, file.path',
        'CROSS JOIN library ON library.id = file.library',
      ),
    ),
    terms: all('SELECT term, uses FROM term'),
    documents: documents.sort(),
    marks: all(
      'SELECT guid, kind, item, starred, rating, plays, played FROM mark JOIN listener ON listener.id = listener',
    ),
  }
}
