import type { DatabaseSync } from 'node:sqlite'
import type { Applier, IndexedChange, Projection, Purpose } from '../../index/projection.ts'
import { integer } from '../../store/row.ts'
import { albumParts, libraries, problems } from '../facts.ts'
import { openAlbums } from './albums.ts'
import { openArtists } from './artists.ts'
import { openGenres } from './genres.ts'
import { guidBytes } from './guid.ts'
import { openListFiller, openListWriter } from './lists.ts'
import { type Marks, openMarks } from './marks.ts'
import { indexes, schema } from './schema.ts'
import { openScopes } from './scopes.ts'
import { documentId, fillSearch, openDocuments, weightOf } from './search/documents.ts'
import { summarise } from './summary.ts'
import { openLibraryRows, openTracks, type Tracks } from './tracks.ts'

/** The catalog's part of the index: what is to be browsed and searched, and what users say of it. */
export const projection: Projection = {
  name: 'catalog',
  version: 6,
  prefixes: ['catalog/', 'listening/marks/'],
  schema,
  indexes,
  open,
}

function open(db: DatabaseSync, purpose: Purpose): Applier {
  const lists = purpose === 'fill' ? openListFiller(db) : openListWriter(db)
  const scopes = openScopes(db)
  const documents = openDocuments(db, purpose)
  const marks = openMarks(db)
  const shared = { db, lists, scopes, documents, marks }
  const artists = openArtists(shared)
  const genres = openGenres(shared)
  const parts = { ...shared, artists, genres }
  const changed = new Set<number>()
  const applyPart = openParts(db, openTracks(parts), changed)
  const settleAlbum = openAlbums(parts)
  const applyLibrary = openLibraries(db)
  const applyProblem = openProblems(db)
  const applyMark = openMarkApplier(db, marks, { albums: changed, artists: artists.touch })

  function settleAlbums(isComplete: boolean) {
    applyPart.removeLeft()
    // While tables are filled, the last album may go on in the next step: it is summed up once, not for each part.
    const unsettled = isComplete ? undefined : [...changed].at(-1)
    for (const album of changed) if (album !== unsettled) settleAlbum(album)
    changed.clear()
    if (unsettled !== undefined) changed.add(unsettled)
  }

  /** What sums up many albums. Artists come first: they have lists and words of their own. */
  function sumUp() {
    artists.flush()
    genres.flush()
    lists.flush()
    scopes.flush()
    documents.flush()
  }

  return {
    apply(change) {
      if (change.key.startsWith(albumParts.prefix)) applyPart.apply(change)
      else if (change.key.startsWith(marks.prefix)) applyMark(change)
      else if (change.key.startsWith(libraries.prefix)) applyLibrary(change)
      else if (change.key.startsWith(problems.prefix)) applyProblem(change)
    },
    flush() {
      settleAlbums(purpose === 'follow')
      if (purpose === 'follow') sumUp()
    },
    filled() {
      if (purpose === 'follow') return
      settleAlbums(true)
      sumUp()
      fillSearch(db)
    },
  }
}

/** Parts of albums. A track that leaves its part is deleted at the end of the transaction, unless another took it. */
function openParts(db: DatabaseSync, tracks: Tracks, changed: Set<number>) {
  const album = db.prepare('SELECT id FROM album WHERE guid = ?')
  const makeAlbum = db.prepare('INSERT INTO album (guid) VALUES (?) RETURNING id')
  const write = db.prepare('INSERT OR REPLACE INTO album_part (album, part, summary) VALUES (?, ?, ?)')
  const drop = db.prepare('DELETE FROM album_part WHERE album = ? AND part = ?')
  const members = db.prepare('SELECT id FROM track WHERE album = ? AND part = ?')
  const left = new Set<number>()

  return {
    apply({ key, value }: IndexedChange): void {
      const [guid = '', part = ''] = albumParts.id(key).split('/')
      const fact = value === null ? undefined : albumParts.decodeWritten(value)
      const bytes = guidBytes(guid)
      const known = album.get(bytes)
      const row = known ?? (fact === undefined ? undefined : makeAlbum.get(bytes))
      if (row === undefined) return
      const id = integer(row.id)
      changed.add(id)
      if (known !== undefined)
        for (const member of members.all(id, Number(part))) left.add(integer(member.id))
      for (const track of fact?.tracks ?? []) {
        const put = tracks.put(id, Number(part), track)
        left.delete(put.id)
        if (put.left !== undefined) changed.add(put.left)
      }
      if (fact === undefined || fact.tracks.length === 0) drop.run(id, part)
      else write.run(id, part, JSON.stringify(summarise(fact.tracks)))
    },
    removeLeft(): void {
      for (const id of left) tracks.remove(id)
      left.clear()
    },
  }
}

function openLibraries(db: DatabaseSync): (change: IndexedChange) => void {
  const row = openLibraryRows(db)
  const write = db.prepare('UPDATE library SET fact = ?, visible_to = ? WHERE id = ?')
  return ({ key, value }) => {
    const fact = value === null ? undefined : libraries.decode(value)
    const id = row(libraries.id(key))
    if (fact === undefined) write.run(null, null, id)
    else write.run(JSON.stringify(fact), [fact.visibleTo].flat().join(' '), id)
  }
}

function openProblems(db: DatabaseSync): (change: IndexedChange) => void {
  const write = db.prepare(
    'INSERT OR REPLACE INTO problem (key, library, path, code, detail, at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const drop = db.prepare('DELETE FROM problem WHERE key = ?')
  return ({ key, value }) => {
    const id = problems.id(key)
    if (value === null) drop.run(id)
    else {
      const { library, path, code, detail, at } = problems.decode(value)
      write.run(id, library, path, code, detail ?? null, at)
    }
  }
}

/** Marks. What is played or starred a lot moves up in the search: its words are then written anew. */
function openMarkApplier(
  db: DatabaseSync,
  marks: Marks,
  touch: { albums: Set<number>; artists(artist: number): void },
): (change: IndexedChange) => void {
  const rows = {
    track: db.prepare('SELECT album AS id, document FROM track WHERE guid = ?'),
    album: db.prepare('SELECT id, document FROM album WHERE guid = ?'),
    artist: db.prepare('SELECT id, document FROM artist WHERE guid = ?'),
  }
  return ({ key, value }) => {
    const mark = marks.apply(key, value)
    const row = mark === undefined ? undefined : rows[mark.kind].get(mark.item)
    if (mark === undefined || row === undefined) return
    const id = integer(row.id)
    if (documentId(weightOf(marks.popularity(mark.kind, mark.item)), id) === row.document) return
    if (mark.kind === 'artist') touch.artists(id)
    else touch.albums.add(id)
  }
}
