import type { Tags, Track } from '../../protocol/facts/catalog.ts'
import { integer } from '../../store/row.ts'
import type { Parts } from './artists.ts'
import type { GenreName } from './genres.ts'
import type { CreditRow } from './standing.ts'
import { yearOfTrack } from './summary.ts'
import { writeTrackCredits } from './track-credits.ts'

/** The columns of a track that follow from its fact. */
export const columns = [
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
  'library',
  'path',
] as const

export type Column = (typeof columns)[number]

/**
 * How SQL reads and writes a column. Bytes come and go as hexadecimal digits, as facts have them: SQLite turns one into
 * the other in less time than it takes to hand over bytes, and digits are compared at once.
 */
const digits: ReadonlySet<Column> = new Set(['fingerprint', 'blob'])
export const readColumn = (column: Column) =>
  digits.has(column) ? `nullif(lower(hex(${column})), '')` : column
export const placeholderOf = (column: Column) => (digits.has(column) ? 'unhex(?)' : '?')

/** The columns that the words of a track are made of, beside who is credited on it and its album's name. */
export const wordedColumns: ReadonlySet<Column> = new Set(['title', 'sort', 'genres', 'scope'])

const placeOf = (column: Column) => columns.indexOf(column)
/** Where some of them stand among these. */
export const at = {
  album: placeOf('album'),
  title: placeOf('title'),
  sort: placeOf('sort'),
  genres: placeOf('genres'),
  duration: placeOf('duration'),
  size: placeOf('size'),
  picture: placeOf('picture'),
  fingerprint: placeOf('fingerprint'),
  added: placeOf('added'),
  scope: placeOf('scope'),
}

interface Rows {
  readonly album: number
  readonly part: number
  readonly scope: number
  /** Of its first file. */
  readonly library: number | null
  readonly format: number
  readonly genres: readonly GenreName[]
  readonly credits: readonly CreditRow[]
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

/** The values of `columns`; figures with fractions come back exactly as they were written. */
export function valuesOf({ tags, audio, ...track }: Track, rows: Rows) {
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
    track.fingerprint,
    track.blob ?? null,
    track.addedAt,
    track.updatedAt,
    rows.scope,
    rows.library,
    track.files[0]?.path ?? null,
  ]
}

/** The row of a format, made where there is none yet. */
export function openFormats({ db, numbers }: Pick<Parts, 'db' | 'numbers'>) {
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
