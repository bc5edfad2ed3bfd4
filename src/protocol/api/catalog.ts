import { z } from 'zod'
import { audio, library, problem, replayGain, tags } from '../facts/catalog.ts'
import { id, timestamp } from '../ids.ts'

/** What `/api` says of the catalog. Shapes for people's programs: stable, additive changes only. */

/** A named reference, enough to show a link. */
export const artistRef = z.object({ id, name: z.string() })
export type ArtistRef = z.infer<typeof artistRef>

/** What the user who asks has said of an item. */
export const itemMark = z.object({
  starredAt: timestamp.optional(),
  rating: z.int().min(1).max(5).optional(),
  playCount: z.int().nonnegative(),
  playedAt: timestamp.optional(),
})
export type ItemMark = z.infer<typeof itemMark>

export const trackSummary = z.object({
  id,
  title: z.string(),
  artists: z.array(artistRef),
  /** The artists in one line, as the file credits them. */
  artist: z.string(),
  album: z.object({ id, name: z.string() }),
  albumArtists: z.array(artistRef),
  disc: z.int().optional(),
  track: z.int().optional(),
  year: z.int().optional(),
  genres: z.array(z.string()),
  durationMs: z.int(),
  codec: z.string(),
  mediaType: z.string(),
  suffix: z.string(),
  bitrate: z.int(),
  size: z.int(),
  explicit: z.enum(['explicit', 'clean']).optional(),
  /** What the tags say; the player levels loudness with it. */
  replayGain: replayGain.optional(),
  /** Changes whenever the bytes do; put into the audio's address as `v` it makes the answer cacheable for ever. */
  version: z.string(),
  /** The same for its cover. */
  cover: z.string(),
  addedAt: timestamp,
  mark: itemMark,
})
export type TrackSummary = z.infer<typeof trackSummary>

export const trackDetail = trackSummary.extend({
  tags,
  audio,
  withdrawable: z
    .boolean()
    .describe(
      'Whether it came by an upload that this account may take back: its own, for administrators any',
    ),
  /** Where it stands; only for administrators. */
  places: z.array(z.object({ library: id, path: z.string() })).optional(),
})
export type TrackDetail = z.infer<typeof trackDetail>

/** While the store is away, what is in the index. */
export const knownTrack = trackDetail.partial({ tags: true, audio: true, withdrawable: true })
export type KnownTrack = z.infer<typeof knownTrack>

export const albumSummary = z.object({
  id,
  name: z.string(),
  artists: z.array(artistRef),
  artist: z.string(),
  year: z.int().optional(),
  genres: z.array(z.string()),
  trackCount: z.int(),
  durationMs: z.int(),
  compilation: z.boolean(),
  cover: z.string(),
  addedAt: timestamp,
  mark: itemMark,
})
export type AlbumSummary = z.infer<typeof albumSummary>

export const albumDetail = albumSummary.extend({
  sortName: z.string(),
  version: z.string().optional(),
  date: z.string().optional(),
  originalDate: z.string().optional(),
  releaseDate: z.string().optional(),
  labels: z.array(z.string()),
  moods: z.array(z.string()),
  releaseTypes: z.array(z.string()),
  musicBrainzId: z.string().optional(),
  explicit: z.enum(['explicit', 'clean']).optional(),
  discs: z.array(z.object({ disc: z.int(), title: z.string().optional() })),
  tracks: z.array(trackSummary),
})
export type AlbumDetail = z.infer<typeof albumDetail>

export const artistSummary = z.object({
  id,
  name: z.string(),
  sortName: z.string(),
  /** Albums of which the artist is an album artist. */
  albumCount: z.int(),
  /** Tracks that credit the artist in any way. */
  trackCount: z.int(),
  cover: z.string(),
  mark: itemMark,
})
export type ArtistSummary = z.infer<typeof artistSummary>

export const artistDetail = artistSummary.extend({
  musicBrainzId: z.string().optional(),
  albums: z.array(albumSummary),
  /** Albums of others on which the artist is credited. */
  appearsOn: z.array(albumSummary),
  topTracks: z.array(trackSummary),
})
export type ArtistDetail = z.infer<typeof artistDetail>

export const genreSummary = z.object({ name: z.string(), albumCount: z.int(), trackCount: z.int() })
export type GenreSummary = z.infer<typeof genreSummary>

export const yearSummary = z.object({ year: z.int(), albumCount: z.int() })
export type YearSummary = z.infer<typeof yearSummary>

/** Where a letter begins in a list ordered by name; `#` stands for what begins with none. */
export const letterSummary = z.object({ letter: z.string(), offset: z.int(), count: z.int() })
export type LetterSummary = z.infer<typeof letterSummary>

/** One page. `next` is the cursor of the following page, absent on the last. `total` counts all pages' items. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional(), total: z.int().optional() })
}
export interface Page<T> {
  items: T[]
  next?: string | undefined
  total?: number | undefined
}

/** `added`: the newest first. `addedAscending`: what a scan adds comes last, so that no page before it changes. */
export const albumOrder = z.enum([
  'name',
  'artist',
  'year',
  'yearDescending',
  'added',
  'addedAscending',
  'played',
  'mostPlayed',
  'rating',
  'starred',
  'random',
])
export type AlbumOrder = z.infer<typeof albumOrder>

/** `offset` starts a walk anywhere; `cursor` goes on with one. Give one of them. */
export const pageQuery = z.object({
  cursor: z.string().max(2_000).optional(),
  offset: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

/** What narrows a list of albums or tracks. */
const filters = {
  artist: id.optional(),
  genre: z.string().max(200).optional(),
  fromYear: z.coerce.number().int().optional(),
  toYear: z.coerce.number().int().optional(),
  library: id.optional(),
  /** Keeps the order of `random` the same from page to page. */
  seed: z.coerce.number().int().optional(),
}

export const albumQuery = pageQuery.extend({
  order: albumOrder.default('name'),
  ...filters,
})
export type AlbumQuery = z.infer<typeof albumQuery>

export const trackOrder = z.enum([
  'title',
  'artist',
  'album',
  'added',
  'addedAscending',
  'played',
  'mostPlayed',
  'rating',
  'starred',
  'random',
])
export const trackQuery = pageQuery.extend({
  order: trackOrder.default('title'),
  ...filters,
})
export type TrackQuery = z.infer<typeof trackQuery>

export const artistQuery = pageQuery.extend({
  /** Only album artists (what people browse by), or everyone who is credited. */
  role: z.enum(['albumArtist', 'any']).default('albumArtist'),
  order: z.enum(['name', 'albumCount', 'starred', 'addedAscending']).default('name'),
  library: id.optional(),
})
export type ArtistQuery = z.infer<typeof artistQuery>

export const searchQuery = z.object({
  q: z.string().max(10_000),
  artists: z.coerce.number().int().min(0).max(100).default(5),
  albums: z.coerce.number().int().min(0).max(100).default(8),
  tracks: z.coerce.number().int().min(0).max(100).default(20),
  library: id.optional(),
})
export type SearchQuery = z.infer<typeof searchQuery>

export const searchResult = z.object({
  artists: z.array(artistSummary),
  albums: z.array(albumSummary),
  tracks: z.array(trackSummary),
})
export type SearchResult = z.infer<typeof searchResult>

/** A folder of a library as it lies on the disk. `path` is relative to the library, empty for its top. */
export const folderContent = z.object({
  library: id,
  path: z.string(),
  folders: z.array(z.object({ name: z.string(), path: z.string() })),
  tracks: z.array(trackSummary),
})
export type FolderContent = z.infer<typeof folderContent>

export const lyrics = z.object({
  items: z.array(
    z.object({
      language: z.string(),
      synced: z.boolean(),
      lines: z.array(
        z.object({
          atMs: z.int().optional(),
          text: z.string(),
          /** Words or syllables with times of their own: `text.slice(from, to)`. Of a line, all have an end or none. */
          words: z
            .array(z.object({ from: z.int(), to: z.int(), atMs: z.int(), untilMs: z.int().optional() }))
            .optional(),
        }),
      ),
    }),
  ),
})
export type Lyrics = z.infer<typeof lyrics>

export const librarySummary = library.extend({
  trackCount: z.int(),
  albumCount: z.int(),
  problemCount: z.int(),
})
export type LibrarySummary = z.infer<typeof librarySummary>

export const libraryInput = z.object({
  name: z.string().min(1).max(200).optional(),
  path: z.string().min(1).max(20_000),
  visibleTo: library.shape.visibleTo.default('everyone'),
})
export const libraryChange = z.object({
  name: z.string().min(1).max(200).optional(),
  visibleTo: library.shape.visibleTo.optional(),
})

/** How far a scan has come. `idle` also says how the last one ended. */
export const scanStatus = z.object({
  phase: z.enum(['idle', 'walking', 'reading', 'removing', 'hashing']),
  startedAt: timestamp.optional(),
  finishedAt: timestamp.optional(),
  /** Files met, files that had to be read, of those done; tracks added, changed, moved, removed; problems met. */
  seen: z.int(),
  toRead: z.int(),
  read: z.int(),
  added: z.int(),
  changed: z.int(),
  moved: z.int(),
  removed: z.int(),
  problems: z.int(),
  /** Files not yet read whole, and bytes of them. They play; only their blobs' names are missing. */
  unhashed: z.int(),
  error: z.string().optional(),
})
export type ScanStatus = z.infer<typeof scanStatus>

export const problemSummary = problem.extend({
  libraryName: z.string(),
  title: z.string(),
  help: z.string(),
})
export type ProblemSummary = z.infer<typeof problemSummary>

export const catalogCounts = z.object({
  tracks: z.int(),
  albums: z.int(),
  artists: z.int(),
  genres: z.int(),
  durationMs: z.int(),
  bytes: z.int(),
})
export type CatalogCounts = z.infer<typeof catalogCounts>

/** Folders of the server's disks, for an administrator who picks a music folder. */
export const serverFolder = z.object({
  path: z.string(),
  parent: z.string().optional(),
  folders: z.array(z.object({ name: z.string(), path: z.string() })),
})
