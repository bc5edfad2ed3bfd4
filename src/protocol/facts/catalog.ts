import { z } from 'zod'
import { blobHash, id, timestamp } from '../ids.ts'
import { largestPicture } from './sizes.ts'

/**
 * Facts of the catalog.
 *
 *   catalog/libraries/<libraryId>            Library
 *   catalog/albums/<albumId>/<part>          AlbumPart, zstd-compressed; part is 000, 001, … (at most 200 tracks each)
 *   catalog/problems/<libraryId>/<hash>      Problem; hash: the first 32 hex digits of the SHA-256 of the path
 *   catalog/aliases/<born id>                Alias: where the id that content or tags give birth to is not the id in use
 *
 * The grain is the album, not the track: a million tracks are then some hundred thousand keys, which etcd carries in
 * its memory. Albums, artists, genres and folders as people see them are functions of the tracks (the index makes
 * them), so nothing about an album is written twice.
 */
export const library = z.object({
  id,
  name: z.string().min(1).max(200),
  /** `folder`: a person's own folder, read and never changed (B4). `uploads`: what arrived through Hocket, as blobs. */
  kind: z.enum(['folder', 'uploads']),
  /** The absolute path of a `folder` library, on the node that has it; escaped as in `src/catalog/scan/path.ts`. */
  path: z.string().max(20_000).optional(),
  /** The node whose disk holds it. */
  node: id.optional(),
  /** Who sees it: everyone, or these users (administrators see every library). */
  visibleTo: z.union([z.literal('everyone'), z.array(id).max(1_000)]),
  createdAt: timestamp,
})
export type Library = z.infer<typeof library>

/** A person or group as a track credits them. The artist's id is derived: see `artistId` in `src/catalog/identity.ts`. */
const credit = z.object({
  name: z.string().min(1).max(1_000),
  sortName: z.string().max(1_000).optional(),
  musicBrainzId: z.string().max(64).optional(),
})
export type Credit = z.infer<typeof credit>

export const replayGain = z.object({
  trackGain: z.number().optional(),
  trackPeak: z.number().optional(),
  albumGain: z.number().optional(),
  albumPeak: z.number().optional(),
})

/** What the tags of one file say. Absent means that the file does not say; nothing here is guessed but `title`. */
export const tags = z.object({
  title: z.string().min(1).max(4_000),
  titleSort: z.string().max(4_000).optional(),
  artists: z.array(credit).max(100),
  /** The artists as the file writes them in one line ("A feat. B"), where it differs from the names joined. */
  artistDisplay: z.string().max(4_000).optional(),
  albumArtists: z.array(credit).max(100),
  albumArtistDisplay: z.string().max(4_000).optional(),
  album: z.string().max(4_000).optional(),
  albumSort: z.string().max(4_000).optional(),
  albumVersion: z.string().max(1_000).optional(),
  disc: z.int().min(0).max(9_999).optional(),
  discTotal: z.int().min(0).max(9_999).optional(),
  discTitle: z.string().max(1_000).optional(),
  track: z.int().min(0).max(99_999).optional(),
  trackTotal: z.int().min(0).max(99_999).optional(),
  /** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
  date: z.string().max(10).optional(),
  originalDate: z.string().max(10).optional(),
  releaseDate: z.string().max(10).optional(),
  genres: z.array(z.string().min(1).max(200)).max(100),
  moods: z.array(z.string().min(1).max(200)).max(100),
  composers: z.array(credit).max(100),
  /** Everyone else who is credited: conductor, lyricist, remixer, performer (`role` lower case). */
  contributors: z
    .array(credit.extend({ role: z.string().max(100), subRole: z.string().max(200).optional() }))
    .max(200),
  labels: z.array(z.string().min(1).max(400)).max(50),
  works: z.array(z.string().min(1).max(1_000)).max(20),
  /** Parts of a work, as classical music is tagged. Absent: the file names none, or was read before this was kept. */
  movements: z
    .array(
      z.object({
        name: z.string().min(1).max(1_000),
        number: z.int().min(1).max(9_999).optional(),
        count: z.int().min(1).max(9_999).optional(),
      }),
    )
    .max(20)
    .optional(),
  /** Whatever someone groups tracks by. Absent: as above. */
  groupings: z.array(z.string().min(1).max(400)).max(20).optional(),
  releaseTypes: z.array(z.string().min(1).max(100)).max(20),
  compilation: z.boolean(),
  explicit: z.enum(['explicit', 'clean']).optional(),
  bpm: z.int().min(0).max(9_999).optional(),
  comment: z.string().max(8_000).optional(),
  isrcs: z.array(z.string().max(32)).max(20),
  musicBrainz: z.object({
    recording: z.string().max(64).optional(),
    track: z.string().max(64).optional(),
    release: z.string().max(64).optional(),
    releaseGroup: z.string().max(64).optional(),
  }),
  replayGain: replayGain.optional(),
  /** Whether the file itself carries lyrics, and a picture (read again from the file when they are asked for). */
  embeddedLyrics: z.boolean(),
  embeddedCover: z.boolean(),
})
export type Tags = z.infer<typeof tags>

/** What the file's audio is. */
export const audio = z.object({
  /** The lower-case short name: mp3, flac, vorbis, opus, aac, alac, pcm, wavpack, … */
  codec: z.string().max(40),
  /** The media type under which the file is served: audio/mpeg, audio/flac, audio/ogg, audio/mp4, … */
  mediaType: z.string().max(100),
  /** The usual file suffix without its dot. */
  suffix: z.string().max(20),
  durationMs: z.int().nonnegative(),
  /** kbit/s. */
  bitrate: z.int().nonnegative(),
  sampleRate: z.int().nonnegative(),
  channels: z.int().nonnegative(),
  bitDepth: z.int().nonnegative().optional(),
})
export type Audio = z.infer<typeof audio>

/** A file beside the music that has been read whole: the blob that it is, so that others can keep copies of it. */
export const beside = z.object({ blob: blobHash, size: z.int().positive().max(largestPicture) })
export type Beside = z.infer<typeof beside>

/** One place where a track's file stands in a music folder. */
const file = z.object({
  library: id,
  /** Relative to the library's path, `/` between names, escaped as in `src/catalog/scan/path.ts`. */
  path: z.string().min(1).max(20_000),
  /** Whole milliseconds; with `size` it says whether the file has changed since it was read. */
  modifiedAt: timestamp,
  /** Beside it: the file names (not paths) of a `.lrc`/`.txt` and of a cover picture in the same folder. */
  lyricsFile: z.string().max(4_000).optional(),
  /** Of the lyrics, so that new ones of the same name are seen. Absent: they were found before this was kept. */
  lyricsModifiedAt: timestamp.optional(),
  /** The lyrics of that time, once they have been read whole. */
  lyrics: beside.optional(),
  /** The same of the picture. Its three fields follow one another: all tracks of a folder then compress to one. */
  coverFile: z.string().max(4_000).optional(),
  coverModifiedAt: timestamp.optional(),
  cover: beside.optional(),
})
export type File = z.infer<typeof file>

const track = z.object({
  id,
  tags,
  audio,
  size: z.int().nonnegative(),
  /** SHA-256 (first 32 hex digits) over the size and three samples of the file: cheap, and enough to see a move. */
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
  /** The blob's name, once the file has been read whole. A track plays before that. */
  blob: blobHash.optional(),
  /** Where it stands in music folders; empty for an upload, which is only a blob. */
  files: z.array(file).max(100),
  /** For an upload: the library it came into and who brought it. */
  upload: z.object({ library: id, user: id, fileName: z.string().max(1_000) }).optional(),
  addedAt: timestamp,
  updatedAt: timestamp,
})
export type Track = z.infer<typeof track>

export const albumPart = z.object({
  album: id,
  /** The id that the album's tags give birth to now (`albumIdentity`); differs from `album` once it was retagged. */
  identity: id.optional(),
  /** Of an album whose tracks have all left this other one while some stayed there: the rest may follow. */
  formerly: id.optional(),
  tracks: z.array(track).max(200),
})
export type AlbumPart = z.infer<typeof albumPart>

/** Something in a music folder that an administrator should know of. */
export const problem = z.object({
  library: id,
  /** Relative to the library's path; empty for the library itself. */
  path: z.string().max(20_000),
  code: z.string().max(60).describe('One of the codes of docs/errors.md'),
  detail: z.string().max(2_000).optional(),
  at: timestamp,
  /** Of a file that could not be read: while they stay the same, it is not read again. */
  size: z.int().nonnegative().optional(),
  modifiedAt: timestamp.optional(),
})
export type Problem = z.infer<typeof problem>

/** An id that is kept although what it was born of has changed: a retagged album, or a retagged track that was deleted. */
export const alias = z.object({ id })
