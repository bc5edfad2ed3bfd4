import type { Credit, Tags, Track } from '../../protocol/facts/catalog.ts'

/**
 * What the tracks of a part say of their album, in a form that can be added to that of the other parts. A tally is
 * each value with the number of tracks that have it; the album takes the most used one.
 */
type Tally = readonly (readonly [string, number])[]

const tallied = [
  'name',
  'sort',
  'version',
  'artist',
  'artists',
  'trackArtist',
  'trackArtists',
  'date',
  'originalDate',
  'releaseDate',
  'release',
  'genres',
  'moods',
  'labels',
  'releaseTypes',
  'discTitles',
  'explicit',
] as const
type Tallied = (typeof tallied)[number]

export interface AlbumSummary {
  readonly tracks: number
  readonly durationMs: number
  readonly size: number
  readonly compilation: boolean
  readonly addedAt: number
  readonly updatedAt: number
  readonly discs: readonly number[]
  readonly tallies: Readonly<Partial<Record<Tallied, Tally>>>
}

/** What an album's tracks say of it together. */
export interface AlbumFacts {
  readonly name: string
  readonly sortName: string | undefined
  readonly version: string | undefined
  readonly artists: readonly Credit[]
  /** The artists in one line; empty where nobody is named. */
  readonly artist: string
  readonly year: number | null
  readonly date: string | undefined
  readonly originalDate: string | undefined
  readonly releaseDate: string | undefined
  readonly musicBrainzId: string | undefined
  /** The most used first. */
  readonly genres: readonly string[]
  readonly moods: readonly string[]
  readonly labels: readonly string[]
  readonly releaseTypes: readonly string[]
  readonly explicit: 'explicit' | 'clean' | undefined
  readonly discs: readonly { readonly disc: number; readonly title: string | undefined }[]
}

/** What an album's row has no column for, as its column `says` holds it in JSON: what is not there is not said. */
export type AlbumSays = Partial<Omit<AlbumFacts, 'name' | 'artists' | 'artist' | 'year' | 'genres'>>

/** What to write into the column; lists that are empty are left out, for most are. */
export function writeAlbumSays(facts: AlbumFacts): string {
  const { name: _name, artists: _artists, artist: _artist, year: _year, genres: _genres, ...others } = facts
  return JSON.stringify(others, (_key, value) =>
    Array.isArray(value) && value.length === 0 ? undefined : value,
  )
}

/** Our own JSON, as it stands in the index. */
export function albumSaysOf(json: string): AlbumSays {
  return JSON.parse(json)
}

/** Who stands for an album whose tracks name no artist of the album and have several of their own. */
const variousArtists: Credit = { name: 'Various Artists' }

/** Values of one tally that are kept: what an album of thousands of tracks says in thousands of ways says nothing. */
const mostValues = 50

export function summarise(tracks: readonly Track[]): AlbumSummary {
  const counts = new Map<Tallied, Map<string, number>>()
  const count = (field: Tallied, value: string | undefined) => {
    if (value === undefined || value === '') return
    const values = counts.get(field)
    if (values === undefined) counts.set(field, new Map([[value, 1]]))
    else values.set(value, (values.get(value) ?? 0) + 1)
  }
  for (const { tags } of tracks) countTags(tags, count)
  const sum = (figure: (track: Track) => number) => tracks.reduce((total, track) => total + figure(track), 0)
  return {
    tracks: tracks.length,
    durationMs: sum((track) => track.audio.durationMs),
    size: sum((track) => track.size),
    compilation: tracks.some(({ tags }) => tags.compilation),
    addedAt: tracks.reduce((least, track) => Math.min(least, track.addedAt), Number.MAX_SAFE_INTEGER),
    updatedAt: tracks.reduce((most, track) => Math.max(most, track.updatedAt), 0),
    discs: [...new Set(tracks.map(({ tags }) => tags.disc ?? 1))].sort((a, b) => a - b),
    tallies: Object.fromEntries([...counts].map(([field, values]) => [field, ranked(values)])),
  }
}

export function merge(summaries: readonly AlbumSummary[]): AlbumSummary {
  const [first, ...others] = summaries
  if (first === undefined) return summarise([])
  return others.reduce(
    (left, right) => ({
      tracks: left.tracks + right.tracks,
      durationMs: left.durationMs + right.durationMs,
      size: left.size + right.size,
      compilation: left.compilation || right.compilation,
      addedAt: Math.min(left.addedAt, right.addedAt),
      updatedAt: Math.max(left.updatedAt, right.updatedAt),
      discs: [...new Set([...left.discs, ...right.discs])].sort((a, b) => a - b),
      tallies: Object.fromEntries(
        tallied.map((field) => [field, addTallies(left.tallies[field] ?? [], right.tallies[field] ?? [])]),
      ),
    }),
    first,
  )
}

export function nameOf({ tallies }: Pick<AlbumSummary, 'tallies'>): string {
  return tallies.name?.[0]?.[0] ?? ''
}

export function factsOf({ tallies, discs }: AlbumSummary): AlbumFacts {
  const most = (field: Tallied) => tallies[field]?.[0]?.[0]
  const all = (field: Tallied) => (tallies[field] ?? []).map(([value]) => value)
  const { artists, artist } = artistsOf(tallies)
  const date = most('date')
  const originalDate = most('originalDate')
  const releaseDate = most('releaseDate')
  const advice = all('explicit')
  const titles = new Map(all('discTitles').map((line) => splitDiscTitle(line)))
  return {
    name: nameOf({ tallies }),
    sortName: most('sort'),
    version: most('version'),
    artists,
    artist,
    year: yearOf(originalDate ?? date ?? releaseDate),
    date,
    originalDate,
    releaseDate,
    musicBrainzId: most('release'),
    genres: all('genres'),
    moods: all('moods'),
    labels: all('labels'),
    releaseTypes: all('releaseTypes'),
    explicit: advice.includes('explicit') ? 'explicit' : advice.includes('clean') ? 'clean' : undefined,
    discs: discs.map((disc) => ({ disc, title: titles.get(disc) })),
  }
}

/** The year of a date as tags write it; null where there is none. */
function yearOf(date: string | undefined): number | null {
  const year = Number(date?.slice(0, 4))
  return Number.isInteger(year) && year > 0 ? year : null
}

/** The year of a track: when it first came out, as far as the file knows. */
export function yearOfTrack(tags: Tags): number | null {
  return yearOf(tags.originalDate ?? tags.date ?? tags.releaseDate)
}

/** Counts what the tags of one track say of its album. */
function countTags(tags: Tags, count: (field: Tallied, value: string | undefined) => void): void {
  const countEach = (field: Tallied, values: readonly string[]) => {
    for (const value of values.length > 1 ? new Set(values) : values) count(field, value)
  }
  count('name', tags.album)
  count('sort', tags.albumSort)
  count('version', tags.albumVersion)
  count('artist', tags.albumArtistDisplay)
  if (tags.albumArtists.length > 0) count('artists', JSON.stringify(tags.albumArtists))
  count('trackArtist', tags.artistDisplay)
  if (tags.artists.length > 0) count('trackArtists', JSON.stringify(tags.artists))
  count('date', tags.date)
  count('originalDate', tags.originalDate)
  count('releaseDate', tags.releaseDate)
  count('release', tags.musicBrainz.release)
  count('explicit', tags.explicit)
  if (tags.discTitle !== undefined) count('discTitles', `${tags.disc ?? 1} ${tags.discTitle}`)
  countEach('genres', tags.genres)
  countEach('moods', tags.moods)
  countEach('labels', tags.labels)
  countEach('releaseTypes', tags.releaseTypes)
}

/** The album's artists as its tracks name them; else the one artist of all its tracks; else "Various Artists". */
function artistsOf(tallies: AlbumSummary['tallies']): { artists: readonly Credit[]; artist: string } {
  const named = tallies.artists?.[0]?.[0]
  if (named !== undefined) return shown(named, tallies.artist?.[0]?.[0])
  const own = tallies.trackArtists ?? []
  const [only] = own
  if (only === undefined) return { artists: [], artist: '' }
  if (own.length > 1) return { artists: [variousArtists], artist: variousArtists.name }
  return shown(only[0], tallies.trackArtist?.[0]?.[0])
}

function shown(json: string, display: string | undefined): { artists: readonly Credit[]; artist: string } {
  const artists: Credit[] = JSON.parse(json)
  return { artists, artist: display ?? artists.map(({ name }) => name).join(', ') }
}

function splitDiscTitle(line: string): [number, string] {
  const space = line.indexOf(' ')
  return [Number(line.slice(0, space)), line.slice(space + 1)]
}

function addTallies(left: Tally, right: Tally): Tally {
  const sum = new Map(left)
  for (const [value, count] of right) sum.set(value, (sum.get(value) ?? 0) + count)
  return ranked(sum)
}

/** The most used first; among equals the smallest, so that the order of the facts makes no difference. */
function ranked(counts: ReadonlyMap<string, number>): Tally {
  // Of most, all tracks say the same.
  if (counts.size === 1) return [...counts]
  return [...counts]
    .sort(([a, most], [b, least]) => least - most || (a < b ? -1 : a > b ? 1 : 0))
    .slice(0, mostValues)
}
