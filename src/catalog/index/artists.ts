import type { DatabaseSync } from 'node:sqlite'
import type { Numbers } from '../../index/numbers.ts'
import type { Purpose } from '../../index/projection.ts'
import type { Credit } from '../../protocol/facts/catalog.ts'
import { bytes, integer, optional, text } from '../../store/row.ts'
import { artistId } from '../identity.ts'
import { guidBytes } from './guid.ts'
import { countKey, nameKey, sortText, timeKey } from './keys.ts'
import { type ListWriter, lists } from './lists.ts'
import type { Marks } from './marks.ts'
import type { Scopes } from './scopes.ts'
import { type Documents, weightOf } from './search/documents.ts'

/** How a file writes an artist: the artist's row, and the row of this way of writing. */
export interface Spelling {
  readonly artist: number
  readonly spelling: number
}

export interface Artists {
  /** The rows of a credit, made where they do not exist. */
  resolve(credit: Credit): Spelling
  /** A credit in this spelling has come (1) or gone (-1). */
  use(spelling: Spelling, delta: 1 | -1): void
  /** Something has changed that makes the artist more or less popular. */
  touch(artist: number): void
  /** A track that credits the artist, or an album of theirs, which was added at that time, has come or gone. */
  count(artist: number, scope: number, figures: Figures): void
  /** Of a part of an index: writes what can be added to that of the other parts. */
  save(): void
  /** The parts of the index have been put together: all artists are to be made, and their names counted. */
  gather(): void
  /** Makes the artists say what their credits say now; those without any are deleted. */
  flush(): void
}

interface Figures {
  readonly tracks?: 1 | -1
  readonly albums?: 1 | -1
  readonly added: number
}

/** The earliest time at which something came to an artist, and the earliest of what has gone from them. */
interface Times {
  came: number
  gone: number
}

export interface Parts {
  readonly db: DatabaseSync
  readonly purpose: Purpose
  readonly numbers: Numbers
  readonly lists: ListWriter
  readonly scopes: Scopes
  readonly documents: Documents
  readonly marks: Marks
}

/** Spellings that are remembered between transactions: an album's tracks credit the same few. */
const remembered = 20_000

export function openArtists(parts: Parts): Artists {
  const { db, numbers } = parts
  const rows = prepareRows(db)
  const settle = openSettling(parts)
  const known = new Map<string, Spelling>()
  const uses = new Map<number, number>()
  const counts = new Map<number, Map<number, { tracks: number; albums: number }>>()
  const touched = new Set<number>()
  const times = new Map<number, Times>()

  function sumOf(artist: number, scope: number) {
    const ofScope = counts.get(scope) ?? new Map()
    counts.set(scope, ofScope)
    const sum = ofScope.get(artist) ?? { tracks: 0, albums: 0 }
    ofScope.set(artist, sum)
    return sum
  }

  function find({ name, sortName = '', musicBrainzId = '' }: Credit): Spelling {
    const id = artistId({ name, musicBrainzId })
    const guid = guidBytes(id)
    const artist = integer((rows.artist.get(guid) ?? rows.makeArtist.get(numbers.of('artist', id), guid))?.id)
    const row = rows.spelling.get(artist, name, sortName, musicBrainzId)
    if (row !== undefined) return { artist, spelling: integer(row.id) }
    // Another part of the index may know the name as well: it is counted when the parts are together.
    if (parts.purpose !== 'part') parts.documents.countTerms([name, sortName], 1)
    const number = numbers.of('spelling', JSON.stringify([id, name, sortName, musicBrainzId]))
    const made = rows.makeSpelling.get(number, artist, name, sortName, musicBrainzId)
    touched.add(artist)
    return { artist, spelling: integer(made?.id) }
  }

  function saveCounts(): void {
    for (const [spelling, delta] of uses) if (delta !== 0) rows.addUses.run(delta, spelling)
    for (const [scope, ofScope] of counts) {
      for (const [artist, { tracks, albums }] of ofScope) {
        if (tracks !== 0 || albums !== 0) rows.addCount.run(artist, scope, tracks, albums)
      }
    }
  }

  return {
    resolve(credit) {
      const written = `${credit.name}\0${credit.sortName ?? ''}\0${credit.musicBrainzId ?? ''}`
      let found = known.get(written)
      if (found === undefined) {
        found = find(credit)
        known.set(written, found)
      }
      return found
    },
    use({ artist, spelling }, delta) {
      touched.add(artist)
      uses.set(spelling, (uses.get(spelling) ?? 0) + delta)
    },
    touch(artist) {
      touched.add(artist)
    },
    count(artist, scope, { tracks = 0, albums = 0, added }) {
      touched.add(artist)
      const time = times.get(artist) ?? { came: Infinity, gone: Infinity }
      times.set(artist, time)
      if (tracks + albums > 0) time.came = Math.min(time.came, added)
      else time.gone = Math.min(time.gone, added)
      const sum = sumOf(artist, scope)
      sum.tracks += tracks
      sum.albums += albums
    },
    save() {
      saveCounts()
      for (const [artist, { came }] of times) if (came !== Infinity) rows.addAdded.run(came, artist)
    },
    gather() {
      for (const { id } of rows.all.all()) touched.add(integer(id))
      for (const { name, sort } of rows.spellings.all()) {
        parts.documents.countTerms([text(name), text(sort)], 1)
      }
    },
    flush() {
      saveCounts()
      let gone = false
      for (const artist of touched) if (settle(artist, times.get(artist)) > 0) gone = true
      if (gone || known.size > remembered) known.clear()
      uses.clear()
      counts.clear()
      times.clear()
      touched.clear()
    },
  }
}

function prepareRows(db: DatabaseSync) {
  return {
    artist: db.prepare('SELECT id FROM artist WHERE guid = ?'),
    makeArtist: db.prepare('INSERT INTO artist (id, guid) VALUES (?, ?) RETURNING id'),
    spelling: db.prepare(
      'SELECT id FROM spelling WHERE artist = ? AND name = ? AND sort = ? AND musicbrainz = ?',
    ),
    makeSpelling: db.prepare(
      'INSERT INTO spelling (id, artist, name, sort, musicbrainz) VALUES (?, ?, ?, ?, ?) RETURNING id',
    ),
    all: db.prepare('SELECT id FROM artist'),
    spellings: db.prepare('SELECT name, sort FROM spelling'),
    addAdded: db.prepare('UPDATE artist SET added = min(coalesce(added, ?1), ?1) WHERE id = ?2'),
    addUses: db.prepare('UPDATE spelling SET uses = uses + ? WHERE id = ?'),
    addCount: db.prepare(
      `INSERT INTO artist_count (artist, scope, tracks, albums) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tracks = tracks + excluded.tracks, albums = albums + excluded.albums`,
    ),
  }
}

interface ArtistState {
  readonly name: string
  readonly sort: string | null
  readonly musicBrainzId: string | null
  readonly tracks: number
  readonly albums: number
  readonly scope: number
  readonly albumScope: number
  /** When the first of their music came. */
  readonly added: number
}

/** Makes one artist's row, list entries and words anew. Answers how many rows of its spellings have gone. */
function openSettling({ db, lists: writer, scopes, documents, marks }: Parts) {
  const read = db.prepare('SELECT * FROM artist WHERE id = ?')
  const dropSpellings = db.prepare('DELETE FROM spelling WHERE artist = ? AND uses <= 0 RETURNING name, sort')
  const best = db.prepare(
    'SELECT name, sort, musicbrainz FROM spelling WHERE artist = ? ORDER BY uses DESC, name, sort, musicbrainz LIMIT 1',
  )
  const dropCounts = db.prepare('DELETE FROM artist_count WHERE artist = ? AND tracks <= 0 AND albums <= 0')
  const counts = db.prepare('SELECT scope, tracks, albums FROM artist_count WHERE artist = ?')
  const write = db.prepare(
    `UPDATE artist SET name = ?, sort = ?, musicbrainz = ?, added = ?, tracks = ?, albums = ?, scope = ?, album_scope = ?,
       document = ?, words = ? WHERE id = ?`,
  )
  const drop = db.prepare('DELETE FROM artist WHERE id = ?')
  const firstAdded = db.prepare(
    `SELECT min(added) AS added FROM (
       SELECT track.added FROM credit CROSS JOIN track ON track.id = credit.track WHERE credit.artist = ?1
       UNION ALL SELECT album.added FROM album_credit CROSS JOIN album ON album.id = album_credit.album
         WHERE album_credit.artist = ?1 AND album_credit.role = 0)`,
  )

  /** Looked up only where what came first has gone: the music of some artists is most of a library. */
  function addedOf(artist: number, before: number | null, { came, gone }: Times): number {
    const first = before === null ? came : Math.min(came, before)
    return gone > first ? first : (optional(integer, firstAdded.get(artist)?.added) ?? 0)
  }

  function enter(id: number, guid: Uint8Array, artist: ArtistState, edit: ListWriter['add']): void {
    const sorted = sortText(artist.name, artist.sort)
    const byName = nameKey(sorted, guid)
    edit([lists.artistsByName], byName, id, artist.scope)
    edit([lists.artistsByTime], timeKey(artist.added, guid), id, artist.scope)
    if (artist.albums === 0) return
    edit([lists.albumArtistsByName], byName, id, artist.albumScope)
    edit([lists.albumArtistsByCount], countKey(artist.albums, sorted, guid), id, artist.albumScope)
  }

  function now(artist: number, added: () => number): ArtistState | undefined {
    const row = best.get(artist)
    if (row === undefined) return undefined
    dropCounts.run(artist)
    const figures = counts.all(artist).map((each) => ({
      scope: integer(each.scope),
      tracks: integer(each.tracks),
      albums: integer(each.albums),
    }))
    return {
      name: text(row.name),
      sort: text(row.sort) || null,
      musicBrainzId: text(row.musicbrainz) || null,
      tracks: figures.reduce((sum, { tracks }) => sum + tracks, 0),
      albums: figures.reduce((sum, { albums }) => sum + albums, 0),
      scope: scopes.union(figures.map(({ scope }) => scope)),
      albumScope: scopes.union(figures.filter(({ albums }) => albums > 0).map(({ scope }) => scope)),
      added: added(),
    }
  }

  return function settle(id: number, times: Times = { came: Infinity, gone: Infinity }): number {
    const row = read.get(id)
    if (row === undefined) return 0
    const guid = bytes(row.guid)
    const state = {
      document: optional(integer, row.document) ?? null,
      words: optional(integer, row.words) ?? null,
    }
    if (state.document !== null) {
      const old: ArtistState = {
        name: text(row.name),
        sort: optional(text, row.sort) ?? null,
        musicBrainzId: null,
        tracks: integer(row.tracks),
        albums: integer(row.albums),
        scope: integer(row.scope),
        albumScope: integer(row.album_scope),
        added: integer(row.added),
      }
      enter(id, guid, old, writer.remove)
    }
    const gone = dropSpellings.all(id)
    for (const each of gone) documents.countTerms([text(each.name), text(each.sort)], -1)
    const before = optional(integer, row.added) ?? null
    const artist = now(id, () => addedOf(id, before, times))
    if (artist === undefined) {
      documents.remove('artist', state)
      drop.run(id)
      return gone.length + 1
    }
    enter(id, guid, artist, writer.add)
    const { document, words } = documents.put(
      'artist',
      { id, weight: weightOf(artist.tracks + marks.popularity('artist', guid)), scope: artist.scope },
      [[artist.name, artist.sort]],
      state,
    )
    const { name, sort, musicBrainzId, tracks, albums, scope, albumScope, added } = artist
    write.run(name, sort, musicBrainzId, added, tracks, albums, scope, albumScope, document, words, id)
    return gone.length
  }
}
