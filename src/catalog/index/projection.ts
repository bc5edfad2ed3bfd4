import type { DatabaseSync } from 'node:sqlite'
import type { Numbers } from '../../index/numbers.ts'
import type { Applier, IndexedChange, Projection, Purpose } from '../../index/projection.ts'
import type { Track } from '../../protocol/facts/catalog.ts'
import { integer, text } from '../../store/row.ts'
import { albumParts, libraries, problems } from '../facts.ts'
import { openAlbums } from './albums.ts'
import { openArtists } from './artists.ts'
import { openBeside } from './beside.ts'
import { type FreshAlbums, gatherAlbums } from './fresh.ts'
import { openGenres } from './genres.ts'
import { guidBytes } from './guid.ts'
import { openListFiller, openListWriter } from './lists.ts'
import { type Marks, openMarks } from './marks.ts'
import { partSchema, parts } from './parts.ts'
import { indexes, schema } from './schema.ts'
import { openScopes } from './scopes.ts'
import { documentId, fillSearch, openDocuments, weightOf } from './search/documents.ts'
import type { StandingTracks } from './standing.ts'
import { nameOf, summarise } from './summary.ts'
import { openLibraryRows } from './track-files.ts'
import { type MadeTrack, openTracks, type Place, type TrackParts, type Tracks } from './tracks.ts'

/** The catalog's part of the index: what is to be browsed and searched, and what users say of it. */
export const projection: Projection = {
  name: 'catalog',
  version: 11,
  prefixes: ['catalog/', 'listening/marks/'],
  schema,
  indexes,
  parts,
  open,
}

function open(db: DatabaseSync, purpose: Purpose, numbers: Numbers): Applier {
  if (purpose === 'part') db.exec(partSchema)
  const isFilling = purpose === 'fill' || purpose === 'part'
  const lists =
    purpose === 'fill' || purpose === 'part'
      ? openListFiller(db, purpose === 'fill' ? 'temp' : 'main')
      : openListWriter(db)
  const scopes = openScopes(db, numbers)
  const documents = openDocuments(db, purpose)
  const marks = openMarks(db)
  const shared = { db, purpose, numbers, lists, scopes, documents, marks }
  const artists = openArtists(shared)
  const genres = openGenres(shared)
  const all = { ...shared, artists, genres }
  const changed = new Set<number>()
  const fresh = gatherAlbums()
  const applyPart = openParts(all, openTracks(all), changed, fresh)
  const settleAlbum = openAlbums(all)
  const applyLibrary = openLibraries(db, numbers)
  const applyProblem = openProblems(db)
  const applyMark = openMarkApplier(db, marks, {
    albums(album) {
      changed.add(album)
      fresh.forget(album)
    },
    artists: artists.touch,
  })

  function settleAlbums(isComplete: boolean) {
    applyPart.removeLeft()
    // While tables are filled, the last album may go on in the next step: it is summed up once, not for each part.
    const unsettled = isComplete ? undefined : [...changed].at(-1)
    for (const album of changed) if (album !== unsettled) settleAlbum(album, fresh.take(album))
    changed.clear()
    if (unsettled !== undefined) changed.add(unsettled)
  }

  /** Sums up an album now, where all that it follows from is at hand: to keep that until the end costs more. */
  function settleFresh(album: number) {
    const given = fresh.take(album)
    if (given === undefined) return
    settleAlbum(album, given)
    changed.delete(album)
  }

  /** What the parts of an index have to say of what they share. */
  function saveCounts() {
    artists.save()
    genres.save()
    scopes.flush()
    documents.flush()
  }

  /** What sums up many facts. After the albums come artists: they have lists and words of their own. */
  function sumUp() {
    settleAlbums(true)
    artists.flush()
    genres.flush()
    lists.flush()
    scopes.flush()
    documents.flush()
  }

  if (purpose === 'rest') {
    artists.gather()
    genres.gather()
  }

  return {
    apply(change) {
      if (change.key.startsWith(albumParts.prefix)) {
        const album = applyPart.apply(change)
        if (purpose === 'follow' && album !== undefined) settleFresh(album)
      } else if (change.key.startsWith(marks.prefix)) applyMark(change)
      else if (change.key.startsWith(libraries.prefix)) applyLibrary(change)
      else if (change.key.startsWith(problems.prefix)) applyProblem(change)
    },
    flush() {
      if (isFilling) settleAlbums(false)
      else if (purpose === 'follow') sumUp()
    },
    filled() {
      if (purpose === 'follow') return
      if (purpose === 'part') {
        settleAlbums(true)
        return saveCounts()
      }
      sumUp()
      if (purpose === 'fill') fillSearch(db)
    },
  }
}

interface StandingPart {
  readonly summary: string | undefined
  readonly tracks: StandingTracks
}

/** Parts of albums. A track that leaves its part is deleted at the end of the transaction, unless another took it. */
function openParts(all: TrackParts, tracks: Tracks, changed: Set<number>, fresh: FreshAlbums) {
  const { db, numbers } = all
  const album = db.prepare('SELECT id, name FROM album WHERE guid = ?')
  const makeAlbum = db.prepare('INSERT INTO album (id, guid) VALUES (?, ?) RETURNING id')
  const write = db.prepare('INSERT OR REPLACE INTO album_part (album, part, summary) VALUES (?, ?, ?)')
  const drop = db.prepare('DELETE FROM album_part WHERE album = ? AND part = ?')
  const summaries = db.prepare('SELECT part, summary FROM album_part WHERE album = ?')
  const putBeside = openBeside(all)
  const left = new Set<number>()

  function putTrack(place: Place, track: Track, standing: StandingTracks): MadeTrack | undefined {
    const { id, left: other, made } = tracks.put(place, track, standing)
    left.delete(id)
    if (other !== undefined) {
      changed.add(other)
      fresh.forget(other)
    }
    return made
  }

  /** What stood in the part before. */
  function open(album: number, part: string, isNew: boolean): StandingPart {
    const parts = isNew ? [] : summaries.all(album)
    const before = parts.find((each) => each.part === part)
    // All that the album follows from is about to be known, unless it has other parts.
    if (parts.length === (before === undefined ? 0 : 1)) fresh.begin(album)
    else if (before !== undefined) fresh.forget(album)
    return {
      summary: before === undefined ? undefined : text(before.summary),
      tracks: before === undefined ? new Map() : tracks.standing(album, Number(part)),
    }
  }

  return {
    /** Answers the album's row, where there is one. */
    apply({ key, value }: IndexedChange): number | undefined {
      const [guid = '', part = ''] = albumParts.id(key).split('/')
      const fact = value === null ? undefined : albumParts.decodeWritten(value)
      const bytes = guidBytes(guid)
      const known = album.get(bytes)
      const row = known ?? (fact === undefined ? undefined : makeAlbum.get(numbers.next('album'), bytes))
      if (row === undefined) return undefined
      const id = integer(row.id)
      // Where the album has changed already, some of its tracks may have words with the name that it will have.
      const written = known === undefined || changed.has(id) ? undefined : text(known.name)
      changed.add(id)
      const before = open(id, part, known === undefined)
      putBeside(id, Number(part), known !== undefined, fact?.tracks ?? [])
      if (fact === undefined || fact.tracks.length === 0) {
        for (const track of before.tracks.values()) left.add(track.id)
        fresh.forget(id)
        drop.run(id, part)
        return id
      }
      const summary = summarise(fact.tracks)
      const json = JSON.stringify(summary)
      const name = nameOf(summary)
      if (json !== before.summary) write.run(id, part, json)
      const place = { album: id, part: Number(part), name, written }
      const put = fact.tracks.map((track) => putTrack(place, track, before.tracks))
      for (const track of before.tracks.values()) left.add(track.id)
      fresh.add(id, { name, summary, tracks: put })
      return id
    },
    removeLeft(): void {
      for (const id of left) tracks.remove(id)
      left.clear()
    },
  }
}

function openLibraries(db: DatabaseSync, numbers: Numbers): (change: IndexedChange) => void {
  const row = openLibraryRows(db, numbers)
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
  touch: { albums(album: number): void; artists(artist: number): void },
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
    else touch.albums(id)
  }
}
