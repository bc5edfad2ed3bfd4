import type { Credit, Tags } from '../../protocol/facts/catalog.ts'
import { defined } from './defined.ts'
import type { Fields } from './fields.ts'
import { contributors, credits, display } from './people.ts'
import { cleanLines, cleanText } from './text.ts'

/**
 * What the fields say, within the limits of the `tags` schema. `title` falls back on the file's name; everything else
 * that a file does not say stays absent.
 */
export function describeTags(fields: Fields, fileName: string, pictures: number): Tags {
  const line = (limit: number, ...names: string[]) => {
    for (const name of names) {
      const text = cleanText(fields.get(name)?.[0] ?? '', limit)
      if (text !== '') return text
    }
    return undefined
  }
  const list = (count: number, limit: number, ...names: string[]) => {
    for (const name of names) {
      const texts = distinct((fields.get(name) ?? []).map((text) => cleanText(text, limit)))
      if (texts.length > 0) return texts.slice(0, count)
    }
    return []
  }
  const artists = credits(fields, {
    names: ['ARTISTS', 'ARTIST'],
    sorts: ['ARTISTSSORT', 'ARTISTSORT'],
    ids: ['MUSICBRAINZARTISTID'],
  })
  const albumArtists = credits(fields, {
    names: ['ALBUMARTISTS', 'ALBUMARTIST', 'ALBUMARTISTNAME'],
    sorts: ['ALBUMARTISTSSORT', 'ALBUMARTISTSORT'],
    ids: ['MUSICBRAINZALBUMARTISTID'],
  })
  const composers = credits(fields, {
    names: ['COMPOSERS', 'COMPOSER'],
    sorts: ['COMPOSERSORT'],
    ids: ['MUSICBRAINZCOMPOSERID'],
  })
  return defined({
    title: line(4_000, 'TITLE') ?? titleOfFile(fileName),
    titleSort: line(4_000, 'TITLESORT'),
    artists,
    artistDisplay: display(fields.get('ARTIST'), artists),
    albumArtists,
    albumArtistDisplay: display(fields.get('ALBUMARTIST'), albumArtists),
    album: line(4_000, 'ALBUM'),
    albumSort: line(4_000, 'ALBUMSORT'),
    albumVersion: line(1_000, 'ALBUMVERSION', 'MUSICBRAINZALBUMCOMMENT'),
    disc: whole(fields, 9_999, 'DISCNUMBER', 'DISC'),
    discTotal: whole(fields, 9_999, 'TOTALDISCS', 'DISCTOTAL'),
    discTitle: line(1_000, 'DISCSUBTITLE'),
    track: whole(fields, 99_999, 'TRACK', 'TRACKNUMBER'),
    trackTotal: whole(fields, 99_999, 'TOTALTRACKS', 'TRACKTOTAL'),
    date: date(fields, 'DATE', 'RELEASEDATE', 'YEAR'),
    originalDate: date(fields, 'ORIGINALDATE', 'ORIGINALYEAR'),
    releaseDate: date(fields, 'RELEASEDATE'),
    genres: genres(fields.get('GENRE') ?? []),
    moods: genres(fields.get('MOOD') ?? []),
    composers,
    contributors: contributors(fields),
    labels: list(50, 400, 'LABEL', 'PUBLISHER', 'ORGANIZATION'),
    works: list(20, 1_000, 'WORK'),
    movements: movements(fields),
    groupings: groupings(fields),
    releaseTypes: list(20, 100, 'RELEASETYPE', 'MUSICBRAINZALBUMTYPE')
      .flatMap((text) => text.split(/[/;,]/))
      .map((text) => text.trim().toLowerCase())
      .filter((text) => text !== '')
      .slice(0, 20),
    compilation: isTrue(fields.get('COMPILATION') ?? fields.get('TCMP')),
    explicit: advisory(fields.get('ITUNESADVISORY')?.[0]),
    bpm: whole(fields, 9_999, 'BPM'),
    comment:
      cleanLines(fields.get('COMMENT')?.[0] ?? fields.get('DESCRIPTION')?.[0] ?? '', 8_000) || undefined,
    isrcs: list(20, 32, 'ISRC'),
    musicBrainz: defined({
      recording: line(64, 'MUSICBRAINZTRACKID'),
      track: line(64, 'MUSICBRAINZRELEASETRACKID'),
      release: line(64, 'MUSICBRAINZRELEASEID', 'MUSICBRAINZALBUMID'),
      releaseGroup: line(64, 'MUSICBRAINZRELEASEGROUPID'),
    }),
    replayGain: loudness(fields),
    embeddedLyrics: ['LYRICS', 'UNSYNCEDLYRICS', 'SYNCEDLYRICS'].some((name) => fields.has(name)),
    embeddedCover: pictures > 0,
  })
}

/** Characters of a file's tags as JSON. An ordinary file has one or two thousand; 200 tracks must fit into one fact. */
const mostText = 32_768

/** The same tags, or what matters of them where they are so long that they could only be a fault or an attack. */
export function boundTags(tags: Tags): Tags {
  if (JSON.stringify(tags).length <= mostText) return tags
  const short = (text: string) => text.slice(0, 200).toWellFormed()
  const people = <T extends Credit>(list: readonly T[]) =>
    list.slice(0, 20).map(
      (one): T => ({
        ...one,
        name: short(one.name),
        ...(one.sortName === undefined ? {} : { sortName: short(one.sortName) }),
      }),
    )
  const words = (list: readonly string[]) => list.slice(0, 20).map(short)
  const lines = Object.entries(tags).map(([name, value]) => [
    name,
    typeof value === 'string' ? short(value) : value,
  ])
  return {
    ...tags,
    ...Object.fromEntries(lines),
    artists: people(tags.artists),
    albumArtists: people(tags.albumArtists),
    composers: people(tags.composers),
    contributors: people(tags.contributors),
    genres: words(tags.genres),
    moods: words(tags.moods),
    labels: words(tags.labels),
    works: words(tags.works),
    ...(tags.movements && { movements: tags.movements.map((each) => ({ ...each, name: short(each.name) })) }),
    ...(tags.groupings && { groupings: words(tags.groupings) }),
    releaseTypes: words(tags.releaseTypes),
  }
}

/** A file's name as a title: without suffix and track number, `_` as spaces. */
function titleOfFile(fileName: string): string {
  const stem = fileName.replace(/\.[^.]{1,5}$/, '')
  const spaced = stem.includes(' ') ? stem : stem.replaceAll('_', ' ')
  const title = spaced.replace(/^(?:\d{1,2}-)?\d{1,3}(?:\s*[.)_-]\s*|\s+)(?=\S)/, '')
  // Bytes that are no text stand as private characters in paths; in a title they would only puzzle.
  const readable = cleanText(title.replace(/[\uf780-\uf7ff]/g, '\ufffd'), 4_000)
  return readable || cleanText(stem, 4_000) || '\ufffd'
}

function genres(values: readonly string[]): string[] {
  return distinct(
    values.flatMap((value) => value.split(/[;,/\0]/)).map((value) => cleanText(value, 200)),
  ).slice(0, 100)
}

/** A movement's name, its number, and how many its work has; one file holds one. */
function movements(fields: Fields): Tags['movements'] {
  const name = cleanText((fields.get('MOVEMENTNAME') ?? fields.get('MOVEMENT'))?.[0] ?? '', 1_000)
  // Some write the number where others write the name, and some `3/4` for both numbers.
  if (name === '' || /^\d+(?:\/\d+)?$/.test(name)) return undefined
  const [number, count] = (fields.get('MOVEMENTNUMBER') ?? fields.get('MOVEMENT'))?.[0]?.split('/') ?? []
  const some = (text: string | undefined) => {
    const value = Number.parseInt(text ?? '', 10)
    return value > 0 && value <= 9_999 ? value : undefined
  }
  const total = some(fields.get('MOVEMENTTOTAL')?.[0] ?? fields.get('MOVEMENTCOUNT')?.[0]) ?? some(count)
  return [defined({ name, number: some(number), count: total })]
}

function groupings(fields: Fields): string[] | undefined {
  const names = ['GROUPING', 'CONTENTGROUP'].flatMap((name) => fields.get(name) ?? [])
  const found = distinct(names.flatMap((text) => text.split(/[;\0]/)).map((text) => cleanText(text, 400)))
  return found.length === 0 ? undefined : found.slice(0, 20)
}

/** The first of each text, whatever its capitals; empty ones dropped. */
function distinct(texts: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const text of texts) {
    const folded = text.toLowerCase()
    if (text !== '' && !seen.has(folded)) seen.set(folded, text)
  }
  return [...seen.values()]
}

function whole(fields: Fields, most: number, ...names: string[]): number | undefined {
  for (const name of names) {
    const number = Number.parseInt(fields.get(name)?.[0] ?? '', 10)
    if (number > 0 && number <= most) return number
  }
  return undefined
}

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD` of what taggers write as a date. */
function date(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const text = fields.get(name)?.[0]?.trim() ?? ''
    const [, year, month, day] = /^(\d{4})(?:[-./]?(\d{2})(?:[-./]?(\d{2}))?)?(?!\d)/.exec(text) ?? []
    const found = year ?? /(?<!\d)\d{4}(?!\d)/.exec(text)?.[0]
    if (found === undefined || found === '0000') continue
    if (month === undefined || month < '01' || month > '12') return found
    return day === undefined || day < '01' || day > '31' ? `${found}-${month}` : `${found}-${month}-${day}`
  }
  return undefined
}

function advisory(text: string | undefined): 'explicit' | 'clean' | undefined {
  if (text === '1' || text === '4') return 'explicit'
  return text === '2' ? 'clean' : undefined
}

function isTrue(values: readonly string[] | undefined): boolean {
  return /^(?:1|true|yes)$/i.test(values?.[0]?.trim() ?? '')
}

/** Opus files carry R128 gains in 1/256 dB against -23 LUFS, 5 dB below what ReplayGain aims at (RFC 7845, §5.2.1). */
function loudness(fields: Fields): Tags['replayGain'] {
  const number = (name: string, most = 1_000) => {
    const value = Number.parseFloat(fields.get(name)?.[0] ?? '')
    return Number.isFinite(value) && Math.abs(value) <= most ? value : undefined
  }
  const r128 = (name: string) => {
    const value = number(name, 32_768)
    return value === undefined ? undefined : value / 256 + 5
  }
  const values = defined({
    trackGain: number('REPLAYGAINTRACKGAIN') ?? r128('R128TRACKGAIN'),
    trackPeak: number('REPLAYGAINTRACKPEAK'),
    albumGain: number('REPLAYGAINALBUMGAIN') ?? r128('R128ALBUMGAIN'),
    albumPeak: number('REPLAYGAINALBUMPEAK'),
  })
  return Object.keys(values).length === 0 ? undefined : values
}
