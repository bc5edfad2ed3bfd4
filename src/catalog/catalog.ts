import type { Index } from '../index/index.ts'
import { remember } from '../index/remember.ts'
import type {
  AlbumDetail,
  AlbumQuery,
  AlbumSummary,
  ArtistDetail,
  ArtistQuery,
  ArtistSummary,
  CatalogCounts,
  FolderContent,
  GenreSummary,
  KnownTrack,
  LetterSummary,
  LibrarySummary,
  Page,
  ProblemSummary,
  SearchQuery,
  SearchResult,
  TrackDetail,
  TrackQuery,
  TrackSummary,
  YearSummary,
} from '../protocol/api/catalog.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Beside } from '../protocol/facts/catalog.ts'
import type { Rules } from '../protocol/facts/listening.ts'
import type { BlobHash, Id, Timestamp } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'
import { albumParts } from './facts.ts'
import type { TrackLine, WantedLine } from './index/queries/lines.ts'
import type { Skipping } from './index/search/search.ts'
import { nameOf, pictures, source } from './source.ts'

/** Who asks. Nobody sees a library that is not theirs to see, nor anything that is only in it. */
export interface Viewer {
  readonly user: Id
  /** Administrators see every library. */
  readonly administrator: boolean
  /** Where they ask for what is in some libraries only: in which. */
  readonly libraries?: readonly Id[] | undefined
}

/**
 * What there is to browse, search and play. Every answer is from the local index: for a user's own writes to show in
 * it, wait for their revision first (`index.waitFor`, law F4). All reads but the synchronous ones run in the index's
 * reader thread, so none of them delays audio.
 */
export interface Catalog {
  /** A page of albums. `next` stays good while a scan goes on: no album comes twice, none that stays is left out. */
  albums(viewer: Viewer, query: AlbumQuery, signal?: AbortSignal): Promise<Page<AlbumSummary>>
  tracks(viewer: Viewer, query: TrackQuery, signal?: AbortSignal): Promise<Page<TrackSummary>>
  artists(viewer: Viewer, query: ArtistQuery, signal?: AbortSignal): Promise<Page<ArtistSummary>>

  /** One of them with all that is known. NOT_FOUND where there is none that the viewer may see. */
  album(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<AlbumDetail>
  artist(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<ArtistDetail>
  track(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<TrackDetail>
  /** The same; while the store does not answer, without what only its facts say. */
  knownTrack(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<KnownTrack>

  /** Those of the ids, in their order; null where there is none that the viewer may see. At most 20,000. */
  tracksByIds(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<(TrackSummary | null)[]>
  albumsByIds(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<(AlbumSummary | null)[]>
  artistsByIds(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<(ArtistSummary | null)[]>

  genres(viewer: Viewer, library?: Id, signal?: AbortSignal): Promise<GenreSummary[]>
  years(viewer: Viewer, library?: Id, signal?: AbortSignal): Promise<YearSummary[]>
  /** The first letters of the list in the order of names, each with the offset where it begins. */
  letters(viewer: Viewer, list: LetterList, library?: Id, signal?: AbortSignal): Promise<LetterSummary[]>
  /** What lies directly in a folder of a library. NOT_FOUND where the viewer sees nothing there. */
  folder(viewer: Viewer, library: Id, path: string, signal?: AbortSignal): Promise<FolderContent>
  counts(viewer: Viewer, library?: Id, signal?: AbortSignal): Promise<CatalogCounts>

  /** What fits the words as they are typed, best first. Any text is safe, and fast. */
  search(viewer: Viewer, query: SearchQuery & Skipping, signal?: AbortSignal): Promise<SearchResult>
  /** The artist's tracks that are played most on this server. */
  topTracks(viewer: Viewer, artist: Id, limit: number, signal?: AbortSignal): Promise<TrackSummary[]>
  /** Artists who share genres with this one, most alike first. */
  similarArtists(viewer: Viewer, artist: Id, limit: number, signal?: AbortSignal): Promise<ArtistSummary[]>
  /** A mix to go on with after a track, album or artist. */
  similarTracks(viewer: Viewer, id: Id, limit: number, signal?: AbortSignal): Promise<TrackSummary[]>

  /** Tracks of a smart playlist, by the marks of the user `marksOf`; at most 10,000. */
  tracksByRules(viewer: Viewer, rules: Rules, marksOf: Id, signal?: AbortSignal): Promise<Id[]>
  /** How playlist files name these tracks; null for those that the viewer does not see. */
  trackLines(viewer: Viewer, ids: readonly Id[], signal?: AbortSignal): Promise<(TrackLine | null)[]>
  /** The tracks that lines of a playlist file mean; null where there is none. */
  tracksByLines(viewer: Viewer, lines: readonly WantedLine[], signal?: AbortSignal): Promise<(Id | null)[]>
  /** Of each playlist, the tracks that the viewer sees, and how long they take. */
  measure(viewer: Viewer, playlists: readonly (readonly Id[])[], signal?: AbortSignal): Promise<Measure[]>

  /** The libraries that the viewer may see; where they lie is told to administrators only. */
  libraries(viewer: Viewer, signal?: AbortSignal): Promise<LibrarySummary[]>
  /** What is wrong in the music folders; for administrators (the gateway checks). */
  problems(query: ProblemQuery, signal?: AbortSignal): Promise<Page<ProblemSummary>>
  /** Bytes of the uploads of a user. */
  uploadedBytes(user: Id, signal?: AbortSignal): Promise<number>

  /** What is needed to play a track; microseconds, on this thread. NOT_FOUND where the viewer may not hear it. */
  source(viewer: Viewer, track: Id): TrackSource
  /** Where to look for the picture of something, best first; microseconds, on this thread. Empty: nowhere. */
  pictures(viewer: Viewer, kind: 'track' | 'album' | 'artist', id: Id): PictureSource[]
  /** A name for the placeholder of a picture, and for file names. NOT_FOUND as above. */
  nameOf(viewer: Viewer, kind: 'track' | 'album' | 'artist', id: Id): string
}

export interface Measure {
  readonly trackCount: number
  readonly durationMs: number
}

export type LetterList = 'albums' | 'artists' | 'tracks'

export interface ProblemQuery {
  readonly library?: Id | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface TrackSource {
  readonly id: Id
  /** The fact that it stands in: `catalog/albums/<album>/<part>`. */
  readonly album: Id
  readonly part: string
  readonly title: string
  readonly size: number
  readonly fingerprint: string
  /** Absent until the file has been read whole. */
  readonly blob: BlobHash | undefined
  readonly codec: string
  readonly mediaType: string
  readonly suffix: string
  readonly durationMs: number
  readonly bitrate: number
  readonly sampleRate: number
  readonly channels: number
  readonly embeddedCover: boolean
  readonly embeddedLyrics: boolean
  readonly places: readonly TrackPlace[]
}

/** One file of a track, in a music folder. */
export interface TrackPlace {
  readonly library: Id
  /** Relative to the library, escaped as in `scan/path.ts`. */
  readonly path: string
  readonly modifiedAt: Timestamp
  /** Names of files beside it. */
  readonly lyricsFile: string | undefined
  readonly coverFile: string | undefined
  readonly coverModifiedAt: Timestamp | undefined
  /** Which blob the lyrics are, as the last scan found them; undefined until they have been read whole. */
  readonly lyrics: Beside | undefined
}

/** A track whose file carries a picture, or beside whose file one lies. */
export interface PictureSource {
  readonly track: Id
  readonly embedded: boolean
  /** Of a picture file beside it, as the last scan found it. */
  readonly file: PictureFile | undefined
  /** The file in which it lies: the picture file, or the track's; undefined for one that is in no music folder. */
  readonly place: { readonly library: Id; readonly path: string } | undefined
  /** What `cover` says in the summaries: changes with the picture. */
  readonly version: string
  /** What the album's row says where this is its cover. */
  readonly coverVersion: string
}

export interface PictureFile {
  readonly library: Id
  readonly path: string
  readonly modifiedAt: Timestamp | undefined
  /** Which blob the picture of that time is; undefined until it has been read whole. */
  readonly is: Beside | undefined
}

/** So long a person waits for what only the store knows, in milliseconds. */
const storePatienceMs = 2_000
/** So many items are asked for at once; between them the reader thread answers others. */
const atOnce = 500

export function createCatalog({ store, index }: { readonly store: Store; readonly index: Index }): Catalog {
  const ask = index.reader<typeof import('./index/queries.ts')>(
    new URL('./index/queries.ts', import.meta.url),
  )

  /** What the tags and the audio of a track are is not in the index, but in the fact that it was made of. */
  async function track(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<TrackDetail> {
    const { album, part, ...shown } = await indexed(viewer, id, signal)
    const fact = await albumParts.get(store, `${album}/${part}`, signal)
    const found = fact?.value.tracks.find((each) => each.id === id)
    if (found === undefined) throw new CodedError('NOT_FOUND', `track ${id}`)
    const mine = viewer.administrator || found.upload?.user === viewer.user
    const withdrawable = found.upload !== undefined && mine
    return { ...shown.track, tags: found.tags, audio: found.audio, withdrawable }
  }

  async function knownTrack(viewer: Viewer, id: Id, signal?: AbortSignal): Promise<KnownTrack> {
    const patience = AbortSignal.timeout(storePatienceMs)
    try {
      return await track(viewer, id, signal === undefined ? patience : AbortSignal.any([signal, patience]))
    } catch (error) {
      const isAway = patience.aborted || isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')
      if (signal?.aborted || !isAway) throw error
      return (await indexed(viewer, id, signal)).track
    }
  }

  async function indexed(viewer: Viewer, id: Id, signal?: AbortSignal) {
    const [shown] = await ask.tracksByIds(viewer, [id], signal)
    const { album, part, places } = source(index, viewer, id)
    if (!shown) throw new CodedError('NOT_FOUND', `track ${id}`)
    if (!viewer.administrator) return { album, part, track: shown }
    return {
      album,
      part,
      track: { ...shown, places: places.map(({ library, path }) => ({ library, path })) },
    }
  }

  async function inPieces<Wanted, Item>(
    wanted: readonly Wanted[],
    read: (piece: readonly Wanted[]) => Promise<Item[]>,
  ): Promise<Item[]> {
    const items: Item[] = []
    for (let at = 0; at < wanted.length; at += atOnce) {
      items.push(...(await read(wanted.slice(at, at + atOnce))))
    }
    return items
  }

  return {
    albums: ask.albums,
    tracks: ask.tracks,
    artists: ask.artists,
    album: ask.album,
    artist: ask.artist,
    track,
    knownTrack,
    tracksByIds: (viewer, ids, signal) => inPieces(ids, (piece) => ask.tracksByIds(viewer, piece, signal)),
    albumsByIds: (viewer, ids, signal) => inPieces(ids, (piece) => ask.albumsByIds(viewer, piece, signal)),
    artistsByIds: (viewer, ids, signal) => inPieces(ids, (piece) => ask.artistsByIds(viewer, piece, signal)),
    genres: (viewer, library, signal) => ask.genres(only(viewer, library), signal),
    years: (viewer, library, signal) => ask.albumYears(only(viewer, library), signal),
    letters: (viewer, list, library, signal) => ask[letters[list]](only(viewer, library), signal),
    folder: ask.folder,
    counts: (viewer, library, signal) => ask.counts(only(viewer, library), signal),
    search: ask.search,
    topTracks: ask.topTracks,
    similarArtists: ask.similarArtists,
    similarTracks: ask.similarTracks,
    tracksByRules: (viewer, rules, marksOf, signal) =>
      ask.tracksByRules(viewer, rules, marksOf, Date.now(), signal),
    trackLines: (viewer, ids, signal) => inPieces(ids, (piece) => ask.trackLines(viewer, piece, signal)),
    tracksByLines: (viewer, lines, signal) =>
      inPieces(lines, (piece) => ask.tracksByLines(viewer, piece, signal)),
    measure: ask.measure,
    libraries: ask.libraries,
    problems: ask.problems,
    uploadedBytes: ask.uploadedBytes,
    // A listener asks for many ranges of one track.
    source: remember(
      index,
      ({ user, administrator }: Viewer, id: Id) => `${user} ${administrator} ${id}`,
      (viewer: Viewer, id: Id) => source(index, viewer, id),
    ),
    pictures: (viewer, kind, id) => pictures(index, viewer, kind, id),
    nameOf: (viewer, kind, id) => nameOf(index, viewer, kind, id),
  }
}

const letters = { albums: 'albumLetters', artists: 'artistLetters', tracks: 'trackLetters' } as const

function only(viewer: Viewer, library: Id | undefined) {
  return { ...viewer, library }
}
