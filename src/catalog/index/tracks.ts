import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { Numbers } from '../../index/numbers.ts'
import type { Credit, File, Tags, Track } from '../../protocol/facts/catalog.ts'
import { integer, optional, text } from '../../store/row.ts'
import type { Artists, Parts } from './artists.ts'
import type { GenreName, Genres } from './genres.ts'
import { guidBytes } from './guid.ts'
import { keyOf, nameKey, sortText, timeKey } from './keys.ts'
import { type ListWriter, lists, tracksOfGenre } from './lists.ts'
import type { DocumentState } from './search/documents.ts'
import { type CreditRow, openStanding, type StandingTrack, type StandingTracks } from './standing.ts'
import { yearOfTrack } from './summary.ts'
import { heard, type NamedTrack, openTrackWords } from './track-words.ts'

/** The roles of credits that have a fixed row; contributors bring others. */
export const roles = { albumArtist: 0, artist: heard, composer: 2 } as const
/** Rows of the table of roles stand above those: what has row 1 there is this and one. */
export const firstOwnRole = 10

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
}

/** A credit with the names as the track writes them. */
export interface MadeCredit extends CreditRow {
  readonly name: string
  readonly sort: string
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
  const asked = { columns, files: fileFields }
  const ofPart = openStanding(db, 'album = ? AND part = ?', asked)
  const byGuid = openStanding(db, 'guid = ?', asked)
  const byId = openStanding(db, 'id = ?', asked)
  const insert = db.prepare(
    `INSERT INTO track (id, guid, document, words, ${columns.join(', ')})
     VALUES (?, ?, ?, ?${', ?'.repeat(columns.length)}) ON CONFLICT (guid) DO NOTHING`,
  )
  const update = db.prepare(
    `UPDATE track SET document = ?, words = ?, ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
  )
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

  /** Counts a track in (1) or out (-1) wherever tracks are listed and counted. */
  function count(track: TrackState, delta: 1 | -1): void {
    const { id, guid, title, sort, scope } = track
    const edit: ListWriter['add'] = delta === 1 ? writer.add : writer.remove
    const byTitle = nameKey(sortText(title, sort), guid)
    edit(lists.tracksByTitle, byTitle, id, scope)
    edit(lists.tracksByTime, timeKey(track.added, guid), id, scope)
    for (const name of track.genres) genres.use(name, delta)
    for (const genre of new Set(track.genres.map((name) => name.genre))) {
      edit(tracksOfGenre(genre), byTitle, id, scope)
      genres.count(genre, scope, { tracks: delta })
    }
    scopes.count(scope, { tracks: delta, duration: delta * track.duration, bytes: delta * track.size })
    documents.countTerms([title, sort], delta)
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
    const values = valuesOf(track, { ...place, scope, format, genres: names, credits: made })
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
    const sameRow = columns.every((_, each) => sameValue(values[each], to.values[each]))
    const credited = sameCredits(before, to.credits)
    if (!sameRow || !credited) {
      const [held, state] = [stateOf(standing), madeState(id, to)]
      if (!sameCounted(held, state)) {
        count(held, -1)
        count(state, 1)
      }
      if (!credited || held.scope !== state.scope || held.added !== state.added) {
        credit(held, before, -1)
        credit(state, to.credits, 1)
      }
      credits.replace(id, before, to.credits)
    }
    const { name, written: writtenWith } = to.place
    const written = sameRow && credited && writtenWith === name ? old : writeWords(made, name)
    if (!sameRow || written !== old) update.run(written.document, written.words, ...to.values, id)
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
  { track, guid, scope, genres, credits }: Resolved,
  old: DocumentState,
): MadeTrack {
  const { title, titleSort: sort = null } = track.tags
  return { id, guid, title, sort, scope, genres: genres.map(({ written }) => written), credits, old }
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

/** Whether a column holds a value already. Figures with fractions are compared as they come back: exactly. */
function sameValue(held: SQLOutputValue | undefined, value: SQLInputValue | undefined): boolean {
  if (held instanceof Uint8Array) return value instanceof Uint8Array && Buffer.compare(held, value) === 0
  return held === value
}

const columns = [
  'album',
  'part',
  'disc',
  'number',
  'title',
  'sort',
  'artist',
  'year',
  'genres',
  'duration',
  'size',
  'format',
  'bitrate',
  'sample_rate',
  'channels',
  'bit_depth',
  'bpm',
  'comment',
  'credits',
  'more',
  'explicit',
  'compilation',
  'picture',
  'lyrics',
  'track_gain',
  'track_peak',
  'album_gain',
  'album_peak',
  'fingerprint',
  'blob',
  'added',
  'updated',
  'scope',
] as const

const placeOf = (column: (typeof columns)[number]) => columns.indexOf(column)
const at = {
  album: placeOf('album'),
  title: placeOf('title'),
  sort: placeOf('sort'),
  genres: placeOf('genres'),
  duration: placeOf('duration'),
  size: placeOf('size'),
  added: placeOf('added'),
  scope: placeOf('scope'),
}

interface Rows {
  readonly album: number
  readonly part: number
  readonly scope: number
  readonly format: number
  readonly genres: readonly GenreName[]
  readonly credits: readonly CreditRow[]
}

/** One of the column `credits`, in the order of roles and positions: the role, the artist's row, and what more is said of it. */
export type TrackCredit = readonly [role: number, artist: number, detail?: string]

/** Our own JSON, as it stands in the index. */
export function trackCreditsOf(json: string): readonly TrackCredit[] {
  return JSON.parse(json)
}

function writeTrackCredits(credits: readonly CreditRow[]): string {
  const all = credits.map(({ role, artist, detail }): TrackCredit => {
    return detail === null ? [role, artist] : [role, artist, detail]
  })
  return JSON.stringify(all)
}

/** What the column `more` holds: what programs ask for that keep a library of their own. */
export type MoreTags = {
  readonly [Name in 'isrcs' | 'moods' | 'works' | 'movements' | 'groupings']?: Tags[Name] | undefined
} & { readonly recording?: string | undefined }

/** Our own JSON, as it stands in the index. */
export function moreTagsOf(json: string): MoreTags {
  return JSON.parse(json)
}

function moreOf({ musicBrainz, isrcs, moods, works, movements, groupings }: Tags): string | null {
  const some = <Value>(values: readonly Value[] | undefined) => (values?.length ? [...values] : undefined)
  const more: MoreTags = {
    recording: musicBrainz.recording,
    isrcs: some(isrcs),
    moods: some(moods),
    works: some(works),
    movements: some(movements),
    groupings: some(groupings),
  }
  const json = JSON.stringify(more)
  return json === '{}' ? null : json
}

/** The lowest bits of the column `picture`. Above them stand the seconds at which the newest picture file changed. */
export const embeddedPicture = 1
export const pictureFile = 2

/** The values of `columns`. */
function valuesOf({ tags, audio, ...track }: Track, rows: Rows) {
  const picture =
    (tags.embeddedCover ? embeddedPicture : 0) |
    (track.files.some((file) => file.coverFile !== undefined) ? pictureFile : 0)
  const changedAt = Math.max(0, ...track.files.map(({ coverModifiedAt = 0 }) => coverModifiedAt))
  return [
    rows.album,
    rows.part,
    tags.disc ?? null,
    tags.track ?? null,
    tags.title,
    tags.titleSort ?? null,
    tags.artistDisplay ?? null,
    yearOfTrack(tags),
    rows.genres.map(({ name }) => name).join(','),
    audio.durationMs,
    track.size,
    rows.format,
    audio.bitrate,
    audio.sampleRate,
    audio.channels,
    audio.bitDepth ?? null,
    tags.bpm ?? null,
    tags.comment ?? null,
    writeTrackCredits(rows.credits),
    moreOf(tags),
    tags.explicit === undefined ? null : tags.explicit === 'explicit' ? 1 : 2,
    tags.compilation ? 1 : 0,
    picture + Math.trunc(changedAt / 1_000) * (embeddedPicture + pictureFile + 1),
    tags.embeddedLyrics ? 1 : 0,
    tags.replayGain?.trackGain ?? null,
    tags.replayGain?.trackPeak ?? null,
    tags.replayGain?.albumGain ?? null,
    tags.replayGain?.albumPeak ?? null,
    Buffer.from(track.fingerprint, 'hex'),
    track.blob === undefined ? null : Buffer.from(track.blob, 'hex'),
    track.addedAt,
    track.updatedAt,
    rows.scope,
  ]
}

/** The numbers of a column that holds several, separated by commas. */
export function idsOf(column: string): number[] {
  return column === '' ? [] : column.split(',').map(Number)
}

function openCredits({ db, numbers, artists }: TrackParts) {
  const insert = db.prepare(
    'INSERT INTO credit (track, role, position, artist, spelling, detail) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const drop = db.prepare('DELETE FROM credit WHERE track = ?')
  const role = db.prepare('SELECT id FROM role WHERE name = ?')
  const makeRole = db.prepare('INSERT INTO role (id, name) VALUES (?, ?) RETURNING id')
  const roleOf = (name: string) =>
    name === 'composer' ? roles.composer : name === 'artist' ? roles.artist : rowOfRole(name)
  const rowOfRole = (name: string) =>
    integer((role.get(name) ?? makeRole.get(numbers.of('role', name), name))?.id) + firstOwnRole

  return {
    resolve({ tags }: Track): MadeCredit[] {
      const made: MadeCredit[] = []
      const add = (credit: Credit, role: number, detail: string | null) => {
        const { artist, spelling } = artists.resolve(credit)
        const { name, sortName: sort = '' } = credit
        made.push({ role, position: made.length, artist, spelling, name, sort, detail })
      }
      for (const each of tags.artists) add(each, roles.artist, null)
      for (const each of tags.composers) add(each, roles.composer, null)
      for (const each of tags.contributors) add(each, roleOf(each.role), each.subRole ?? null)
      return made.sort((a, b) => a.role - b.role || a.position - b.position)
    },
    replace(track: number, before: readonly CreditRow[], after: readonly CreditRow[]): void {
      if (sameCredits(before, after)) return
      if (before.length > 0) drop.run(track)
      for (const { role, position, artist, spelling, detail } of after) {
        insert.run(track, role, position, artist, spelling, detail)
      }
    },
  }
}

function sameCredits(before: readonly CreditRow[], after: readonly CreditRow[]): boolean {
  return (
    before.length === after.length &&
    before.every((row, at) => {
      const other = after[at]
      return (
        row.role === other?.role &&
        row.position === other.position &&
        row.spelling === other.spelling &&
        row.detail === other.detail
      )
    })
  )
}

const fileFields = [
  'library',
  'path',
  'modified_at',
  'lyrics_file',
  'lyrics_modified_at',
  'cover_file',
  'cover_modified_at',
] as const

/** Where tracks lie: files in music folders, and uploads. */
function openPlaces({ db, numbers }: TrackParts) {
  const library = openLibraryRows(db, numbers)
  const dropFiles = db.prepare('DELETE FROM file WHERE track = ?')
  const insert = db.prepare(
    `INSERT OR REPLACE INTO file (track, ${fileFields.join(', ')}) VALUES (?${', ?'.repeat(fileFields.length)})`,
  )
  const dropUpload = db.prepare('DELETE FROM upload WHERE track = ?')
  const upload = db.prepare('INSERT INTO upload (track, library, user, file_name) VALUES (?, ?, ?, ?)')

  function rowOf({ path, modifiedAt, ...file }: File) {
    const { lyricsFile = null, lyricsModifiedAt = null, coverFile = null, coverModifiedAt = null } = file
    const beside = [lyricsFile, lyricsModifiedAt, coverFile, coverModifiedAt]
    return [library(file.library), path, modifiedAt, ...beside]
  }

  function add(track: number, places: Track): void {
    for (const file of places.files) insert.run(track, ...rowOf(file))
    if (places.upload === undefined) return
    upload.run(track, places.upload.library, places.upload.user, places.upload.fileName)
  }

  /** Nearly every track is one file: others, and uploads, are written anew without a look. */
  function stands({ files: [row, ...more], isUploaded }: StandingTrack, places: Track): boolean {
    const [file, ...others] = places.files
    if (file === undefined || others.length > 0 || places.upload !== undefined) return false
    if (row === undefined || more.length > 0 || isUploaded) return false
    return rowOf(file).every((value, each) => value === row[each])
  }

  return {
    add,
    replace(standing: StandingTrack, track: Track | undefined): void {
      if (track !== undefined && stands(standing, track)) return
      dropFiles.run(standing.id)
      dropUpload.run(standing.id)
      if (track !== undefined) add(standing.id, track)
    },
  }
}

/** The row of a library, made where its fact has not been met yet. */
export function openLibraryRows(db: DatabaseSync, numbers: Numbers): (id: string) => number {
  const find = db.prepare('SELECT id FROM library WHERE guid = ?')
  const make = db.prepare('INSERT INTO library (id, guid) VALUES (?, ?) RETURNING id')
  const known = new Map<string, number>()
  return (id) => {
    const row = known.get(id) ?? integer((find.get(id) ?? make.get(numbers.of('library', id), id))?.id)
    known.set(id, row)
    return row
  }
}

function openFormats({ db, numbers }: TrackParts) {
  const find = db.prepare('SELECT id FROM format WHERE codec = ? AND media_type = ? AND suffix = ?')
  const make = db.prepare(
    'INSERT INTO format (id, codec, media_type, suffix) VALUES (?, ?, ?, ?) RETURNING id',
  )
  const known = new Map<string, number>()
  return ({ codec, mediaType, suffix }: Track['audio']): number => {
    const name = JSON.stringify([codec, mediaType, suffix])
    const row =
      known.get(name) ??
      integer(
        (find.get(codec, mediaType, suffix) ?? make.get(numbers.of('format', name), codec, mediaType, suffix))
          ?.id,
      )
    known.set(name, row)
    return row
  }
}
