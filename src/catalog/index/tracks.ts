import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Track } from '../../protocol/facts/catalog.ts'
import { idsOf, integer, optional, text } from '../../store/row.ts'
import type { Artists, Parts } from './artists.ts'
import type { GenreName, Genres } from './genres.ts'
import { guidBytes } from './guid.ts'
import { keyOf, nameKey, sortText, timeKey } from './keys.ts'
import { type ListWriter, lists, tracksOfGenre } from './lists.ts'
import type { DocumentState } from './search/documents.ts'
import { type CreditRow, openStanding, type StandingTrack, type StandingTracks } from './standing.ts'
import { type MadeCredit, openCredits, sameCredits } from './track-credits.ts'
import { fileFields, openPlaces } from './track-files.ts'
import {
  at,
  type Column,
  columns,
  openFormats,
  placeholderOf,
  readColumn,
  valuesOf,
  wordedColumns,
} from './track-row.ts'
import { type NamedTrack, openTrackWords } from './track-words.ts'

export interface Tracks {
  /** The tracks that stand in a part of an album. */
  standing(album: number, part: number): StandingTracks
  /** Makes the rows of a track say what the fact says, and takes it out of those that stood in its part before. */
  put(place: Place, track: Track, standing: StandingTracks): PutTrack
  remove(id: number): void
}

export interface Place {
  readonly album: number
  readonly part: number
  /** The album's name as this part has it: the words of its tracks are written with it. */
  readonly name: string
  /** The one with which those of the tracks that stand there have been written; undefined: nobody knows. */
  readonly written: string | undefined
}

export interface PutTrack {
  readonly id: number
  /** The album's row where the track stood before. */
  readonly left: number | undefined
  /** What its album follows from; undefined where the track stood in another part before. */
  readonly made: MadeTrack | undefined
}

export interface MadeTrack extends NamedTrack {
  readonly credits: readonly MadeCredit[]
  readonly disc: number | null
  readonly number: number | null
  /** 0: it has none. */
  readonly picture: number
  readonly fingerprint: Uint8Array
}

export interface TrackParts extends Parts {
  readonly artists: Artists
  readonly genres: Genres
}

/** A track's row, as far as other tables follow from it. */
interface TrackState {
  readonly id: number
  readonly guid: Uint8Array
  readonly title: string
  readonly sort: string | null
  readonly genres: readonly GenreName[]
  readonly duration: number
  readonly size: number
  readonly added: number
  readonly scope: number
}

export function openTracks(parts: TrackParts): Tracks {
  const { db, purpose, lists: writer, scopes, documents, artists, genres } = parts
  const isFilling = purpose === 'fill' || purpose === 'part'
  const credits = openCredits(parts)
  const places = openPlaces(parts)
  const formats = openFormats(parts)
  const nextId = openIds(parts)
  const writeWords = openTrackWords(parts)
  const asked = { columns: columns.map(readColumn), files: fileFields }
  const ofPart = openStanding(db, 'album = ?1 AND part = ?2', asked)
  const byGuid = openStanding(db, 'guid = ?1', asked)
  const byId = openStanding(db, 'id = ?1', asked)
  const insert = db.prepare(
    `INSERT INTO track (id, guid, document, words, ${columns.join(', ')})
     VALUES (?, ?, ?, ?, ${columns.map(placeholderOf).join(', ')}) ON CONFLICT (guid) DO NOTHING`,
  )
  const update = openUpdate(db)
  const drop = db.prepare('DELETE FROM track WHERE id = ?')

  function stateOf({ id, guid, values }: StandingTrack): TrackState {
    return {
      id,
      guid,
      title: text(values[at.title]),
      sort: optional(text, values[at.sort]) ?? null,
      genres: idsOf(text(values[at.genres])).map(genres.byName),
      duration: integer(values[at.duration]),
      size: integer(values[at.size]),
      added: integer(values[at.added]),
      scope: integer(values[at.scope]),
    }
  }

  /**
   * Counts a track in (1) or out (-1) wherever tracks are listed and counted, but for what its `other` state, which is
   * counted the other way, has in common with this one.
   */
  function count(track: TrackState, delta: 1 | -1, other?: TrackState): void {
    const { id, guid, title, sort, scope, added } = track
    const edit: ListWriter['add'] = delta === 1 ? writer.add : writer.remove
    const isSeen = other?.scope === scope
    const isNamed = other?.title === title && other.sort === sort
    const places: number[] = isSeen && isNamed ? [] : [lists.tracksByTitle]
    if (!isSeen || other?.added !== added) edit([lists.tracksByTime], timeKey(added, guid), id, scope)
    for (const name of track.genres) genres.use(name, delta)
    for (const genre of new Set(track.genres.map((name) => name.genre))) {
      const isCounted = isSeen && other?.genres.some((name) => name.genre === genre)
      if (!isCounted || !isNamed) places.push(tracksOfGenre(genre))
      if (!isCounted) genres.count(genre, scope, { tracks: delta })
    }
    if (places.length > 0) edit(places, nameKey(sortText(title, sort), guid), id, scope)
    scopes.count(scope, { tracks: delta, duration: delta * track.duration, bytes: delta * track.size })
    if (!isNamed) documents.countTerms([title, sort], delta)
  }

  /** The same for the artists whom it credits. */
  function credit({ scope, added }: TrackState, credited: readonly CreditRow[], delta: 1 | -1): void {
    for (const each of credited) artists.use(each, delta)
    for (const artist of new Set(credited.map((each) => each.artist))) {
      artists.count(artist, scope, { tracks: delta, added })
    }
  }

  /** What the fact says, in the form of the tables. */
  function resolve(place: Place, track: Track): Resolved {
    const guid = guidBytes(track.id)
    const libraries = track.files.map(({ library }) => library)
    const scope = scopes.of(track.upload === undefined ? libraries : [...libraries, track.upload.library])
    const names = [...new Map(track.tags.genres.map((name) => [name, genres.resolve(name)])).values()]
    const made = credits.resolve(track)
    const format = formats(track.audio)
    const library = places.firstLibrary(track)
    const values = valuesOf(track, { ...place, scope, library, format, genres: names, credits: made })
    return { place, track, guid, scope, genres: names, credits: made, values }
  }

  /** Undefined where the track is there already. */
  function make(to: Resolved): MadeTrack | undefined {
    const made = madeOf(nextId(), to, unwritten)
    const { id } = made
    const written = writeWords(made, to.place.name)
    if (insert.run(id, to.guid, written.document, written.words, ...to.values).changes === 0) {
      documents.remove('track', written)
      return undefined
    }
    credits.replace(id, [], to.credits)
    const state = madeState(id, to)
    count(state, 1)
    credit(state, to.credits, 1)
    places.add(id, to.track)
    return madeOf(id, to, written)
  }

  /** Of an album that is written anew, most tracks are as they were: only what differs is made again. */
  function change(standing: StandingTrack, to: Resolved): MadeTrack {
    const { id, old, values, credits: before } = standing
    const made = madeOf(id, to, old)
    const differing = columns.filter((_, each) => values[each] !== to.values[each])
    const sameRow = differing.length === 0
    const credited = sameCredits(before, to.credits)
    if (!sameRow || !credited) {
      const [held, state] = [stateOf(standing), madeState(id, to)]
      if (!sameCounted(held, state)) {
        count(held, -1, state)
        count(state, 1, held)
      }
      if (!credited || held.scope !== state.scope || held.added !== state.added) {
        credit(held, before, -1)
        credit(state, to.credits, 1)
      }
      credits.replace(id, before, to.credits)
    }
    const { name, written: writtenWith } = to.place
    const sameWords =
      credited && writtenWith === name && !differing.some((column) => wordedColumns.has(column))
    const written = sameWords ? old : writeWords(made, name)
    if (!sameRow || written !== old) update(id, written, differing, to.values)
    places.replace(standing, to.track)
    return written === old ? made : madeOf(id, to, written)
  }

  return {
    standing: ofPart,
    put(place, track, standing) {
      const to = resolve(place, track)
      const key = keyOf(to.guid)
      const here = standing.get(key)
      if (here !== undefined) {
        standing.delete(key)
        return { id: here.id, left: undefined, made: change(here, to) }
      }
      // Where tables are filled, nearly every track is new: it is looked for only when another row is in the way.
      const attempt = isFilling ? make(to) : undefined
      const elsewhere = attempt === undefined ? byGuid(to.guid).get(key) : undefined
      if (elsewhere === undefined) {
        const made = attempt ?? make(to)
        if (made === undefined) throw new Error(`track ${track.id} is there and is not`)
        return { id: made.id, left: undefined, made }
      }
      change(elsewhere, to)
      const left = integer(elsewhere.values[at.album])
      return { id: elsewhere.id, left: left === place.album ? undefined : left, made: undefined }
    },
    remove(id) {
      for (const standing of byId(id).values()) {
        const state = stateOf(standing)
        count(state, -1)
        credit(state, standing.credits, -1)
        credits.replace(id, standing.credits, [])
        places.replace(standing, undefined)
        documents.remove('track', standing.old)
        drop.run(id)
      }
    },
  }
}

const unwritten: DocumentState = { document: null, words: null }

/** Statements that are kept, one for each set of columns. */
const mostUpdates = 50

/**
 * Answers the function that writes the columns of a row that differ: an index of others is left alone, which in a large
 * catalog lies all over the file.
 */
function openUpdate(db: DatabaseSync) {
  const statements = new Map<string, StatementSync>()

  function statementOf(differing: readonly Column[]): StatementSync {
    const name = differing.join()
    const statement = statements.get(name) ?? prepare(differing)
    if (statements.size >= mostUpdates) statements.clear()
    statements.set(name, statement)
    return statement
  }

  function prepare(differing: readonly Column[]): StatementSync {
    const changes = differing.map((column) => `, ${column} = ${placeholderOf(column)}`)
    return db.prepare(`UPDATE track SET document = ?, words = ?${changes.join('')} WHERE id = ?`)
  }

  return (
    id: number,
    { document, words }: DocumentState,
    differing: readonly Column[],
    values: readonly SQLInputValue[],
  ): void => {
    const changed = differing.map((column) => values[columns.indexOf(column)] ?? null)
    statementOf(differing).run(document, words, ...changed, id)
  }
}

/** The number of the next row, where no other thread takes any: known before the row is there, for its words. */
function openIds({ db, numbers }: TrackParts): () => number {
  const last = db.prepare('SELECT max(id) AS id FROM track')
  let known: number | undefined
  return () => {
    const shared = numbers.next('track')
    if (shared !== null) return shared
    known = (known ?? optional(integer, last.get()?.id) ?? 0) + 1
    return known
  }
}

/** A fact of a track with the rows that it refers to. */
interface Resolved {
  readonly place: Place
  readonly track: Track
  readonly guid: Uint8Array
  readonly scope: number
  readonly genres: readonly GenreName[]
  readonly credits: readonly MadeCredit[]
  /** Of `columns`. */
  readonly values: readonly SQLInputValue[]
}

/** What its album and its words follow from. */
function madeOf(
  id: number,
  { track, guid, scope, genres, credits, values }: Resolved,
  old: DocumentState,
): MadeTrack {
  const { title, titleSort: sort = null, disc = null, track: number = null } = track.tags
  const picture = Number(values[at.picture])
  const fingerprint = Buffer.from(track.fingerprint, 'hex')
  const written = genres.map((genre) => genre.written)
  return { id, guid, title, sort, scope, genres: written, credits, old, disc, number, picture, fingerprint }
}

/** What the lists and the counts of a track follow from. */
function madeState(id: number, { track, guid, genres, scope }: Resolved): TrackState {
  const { tags, audio, size, addedAt } = track
  return {
    id,
    guid,
    title: tags.title,
    sort: tags.titleSort ?? null,
    genres,
    duration: audio.durationMs,
    size,
    added: addedAt,
    scope,
  }
}

/** Whether a track is listed and counted in the same places. */
function sameCounted(one: TrackState, other: TrackState): boolean {
  return (
    one.title === other.title &&
    one.sort === other.sort &&
    one.duration === other.duration &&
    one.size === other.size &&
    one.added === other.added &&
    one.scope === other.scope &&
    one.genres.length === other.genres.length &&
    one.genres.every(({ name }, at) => name === other.genres[at]?.name)
  )
}
