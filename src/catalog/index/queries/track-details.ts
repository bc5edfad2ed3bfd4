import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { ArtistRef, ItemMark, TrackSummary } from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { integer, listed, optional, text } from '../../../store/row.ts'
import { guidOfHex } from '../guid.ts'
import { firstOwnRole, roles, type TrackCredit, trackCreditsOf } from '../track-credits.ts'
import { type MoreTags, moreTagsOf } from '../track-row.ts'
import { averageOf, hexOf } from './columns.ts'
import { rowsOfIds } from './items.ts'
import {
  type AlbumRef,
  type ArtistRefs,
  explicitOf,
  formats,
  genresOf,
  inOrderOf,
  joinMark,
  markColumns,
  markOf,
  openAlbumRefs,
  openArtistRefs,
  replayGainOf,
} from './rows.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'

/** All that the index knows of a track, for programs that keep a library of their own. */
export interface TrackDetails
  extends Pick<TrackSummary, 'id' | 'title' | 'artist' | 'disc' | 'track' | 'year' | 'durationMs'>,
    Pick<TrackSummary, 'bitrate' | 'size' | 'mediaType' | 'suffix' | 'explicit' | 'replayGain' | 'addedAt'> {
  readonly artists: readonly ArtistRef[]
  readonly album: AlbumRef
  readonly genres: readonly string[]
  readonly sampleRate: number
  readonly channels: number
  readonly bitDepth: number | undefined
  readonly bpm: number | undefined
  readonly comment: string | undefined
  readonly sortName: string | undefined
  /** Of one of its files that the viewer sees, relative to the library; undefined for an upload. */
  readonly path: string | undefined
  readonly composers: readonly ArtistRef[]
  /** Everyone who is credited beside the artists, composers among them. */
  readonly contributors: readonly Contributor[]
  readonly more: MoreTags
  readonly mark: ItemMark
  /** What everyone together thinks of it, out of five. */
  readonly averageRating: number | undefined
}

export interface Contributor extends ArtistRef {
  readonly role: string
  readonly subRole: string | undefined
}

/** Of each of these tracks that the viewer sees. */
export function trackDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, TrackDetails> {
  const items = openTrackDetails(db, viewOf(db, ask))(rowsOfIds(db, 'track', ids))
  return new Map(items.map((item) => [item.id, item]))
}

/**
 * Answers the function that reads the tracks of some rows, in their order and as often as each is asked for; those that
 * the viewer does not see, or that are gone, are left out. What one call has looked up, the next one knows.
 */
export function openTrackDetails(db: DatabaseSync, view: View): (ids: readonly number[]) => TrackDetails[] {
  const read = listed(
    db.prepare(
      `SELECT track.id, ${hexOf('track')}, track.title, track.artist, track.credits, track.album, track.disc, track.number, track.year,
         track.genres, track.duration, track.bitrate, track.size, track.explicit, track.added, track.format,
         track.track_gain, track.track_peak, track.album_gain, track.album_peak,
         track.sample_rate, track.channels, track.bit_depth, track.bpm, track.comment, track.sort, track.more,
         ${pathSeen(view)},
         ${averageOf('track')}, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN track ON track.id = wanted.value ${joinMark(view, 'track')}
       WHERE true ${seen(view, 'track.scope')}`,
    ),
  )
  const artists = openArtistRefs(db)
  const creditsOf = openCredits(db, artists)
  const albumsOf = openAlbumRefs(db, artists)
  const nameGenres = genresOf(db, 'genre_name')
  const formatOf = formats(db)

  function detailsOf(
    row: readonly SQLOutputValue[],
    { artists, composers, contributors }: Credits,
    albums: ReadonlyMap<number, AlbumRef>,
  ): TrackDetails {
    // Whatever the row has, in one go: rest patterns would copy it, time and again.
    // biome-ignore format: as the columns stand in the query
    const [
      , guid, title, artist, , albumRow, disc, number, year,
      genres, duration, bitrate, size, explicit, added, format,
      trackGain, trackPeak, albumGain, albumPeak,
      sampleRate, channels, bitDepth, bpm, comment, sort, more,
      path,
      average, starred, rating, plays, played,
    ] = row
    const { mediaType, suffix } = formatOf(integer(format))
    return {
      id: guidOfHex(text(guid)),
      title: text(title),
      artist: optional(text, artist) ?? artists.map(({ name }) => name).join(', '),
      artists,
      album: albums.get(integer(albumRow)) ?? noAlbum,
      disc: optional(integer, disc),
      track: optional(integer, number),
      year: optional(integer, year),
      genres: nameGenres(text(genres)),
      durationMs: integer(duration),
      bitrate: integer(bitrate),
      size: integer(size),
      mediaType,
      suffix,
      explicit: explicitOf(explicit),
      replayGain: replayGainOf(trackGain, trackPeak, albumGain, albumPeak),
      addedAt: integer(added),
      sampleRate: integer(sampleRate),
      channels: integer(channels),
      bitDepth: optional(integer, bitDepth),
      bpm: optional(integer, bpm),
      comment: optional(text, comment),
      sortName: optional(text, sort),
      path: optional(text, path),
      composers,
      contributors,
      more: more === null ? nothingMore : moreTagsOf(text(more)),
      mark: markOf([starred, rating, plays, played]),
      averageRating: optional(integer, average),
    }
  }

  return (ids) => {
    const wanted = JSON.stringify([...new Set(ids)])
    const rows = read(wanted)
    const credits = creditsOf(rows.map((row) => text(row[4])))
    const albums = albumsOf(rows.map((row) => integer(row[5])))
    return inOrderOf(
      ids,
      rows.map((row) => [integer(row[0]), detailsOf(row, credits.get(text(row[4])) ?? nobody, albums)]),
    )
  }
}

/** SQL for the path of the track's first file, or of another one where the viewer does not see that one's library. */
function pathSeen(view: View): string {
  const own = `IN (${[...view.libraries.values()].join(', ')})`
  return `CASE WHEN track.library ${own} THEN track.path ELSE (SELECT path FROM file
    WHERE file.track = track.id AND file.other = 1 AND file.library ${own} ORDER BY library, path LIMIT 1) END`
}

const nothingMore = {}
const noAlbum = { id: '', name: '', artists: [], cover: '' }

interface Credits {
  readonly artists: ArtistRef[]
  readonly composers: ArtistRef[]
  readonly contributors: Contributor[]
}
const nobody: Credits = { artists: [], composers: [], contributors: [] }

/** Answers the function that says who is credited on tracks, by their columns `credits`. */
function openCredits(
  db: DatabaseSync,
  artists: ArtistRefs,
): (columns: readonly string[]) => ReadonlyMap<string, Credits> {
  const role = listed(db.prepare('SELECT name FROM role WHERE id = ?'))
  const names = new Map<number, string>([[roles.composer, 'composer']])
  const nameOf = (row: number) => {
    const name = names.get(row) ?? text(role(row - firstOwnRole)[0]?.[0])
    names.set(row, name)
    return name
  }
  function creditsOf(credits: readonly TrackCredit[], refsOf: ReturnType<ArtistRefs>): Credits {
    const having = (row: number) => credits.flatMap(([role, artist]) => (role === row ? [artist] : []))
    const contributors = credits.flatMap(([role, artist, subRole]) =>
      role === roles.artist ? [] : refsOf([artist]).map((ref) => ({ ...ref, role: nameOf(role), subRole })),
    )
    return { artists: refsOf(having(roles.artist)), composers: refsOf(having(roles.composer)), contributors }
  }

  // The tracks of an album mostly have the same.
  const known = new Map<string, Credits>()
  return (columns) => {
    const written = [...new Set(columns)].filter((column) => !known.has(column))
    const credits = written.map(trackCreditsOf)
    const refsOf = artists(credits.flatMap((of) => of.map(([, artist]) => artist)))
    for (const [at, column] of written.entries()) known.set(column, creditsOf(credits[at] ?? [], refsOf))
    return known
  }
}
