import type { z } from 'zod'
import type {
  AlbumDetail,
  ArtistSummary,
  ItemMark,
  Page,
  TrackDetail,
  TrackQuery,
  TrackSummary,
} from '../protocol/api/catalog.ts'
import type {
  importResult,
  markInput,
  PlaylistDetail,
  PlaylistSummary,
  playInput,
  playlistChange,
  playlistInput,
  queueInput,
  queueView,
  shareChange,
  shareInput,
} from '../protocol/api/listening.ts'
import type {
  Bookmark,
  MarkKind,
  Message,
  Rules,
  Share,
  ShareItem,
  Station,
} from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import type { Line } from './m3u.ts'

/** Who listens. */
export interface Listener {
  readonly user: Id
  readonly administrator: boolean
}

/** What was written, and the store's revision that has it. */
export interface Written<Value> {
  readonly value: Value
  readonly revision: number
}

export interface Played extends Written<ItemMark> {
  readonly kept: boolean
}

export type MarkInput = z.infer<typeof markInput>
export type PlayInput = z.infer<typeof playInput>
export type QueueInput = z.infer<typeof queueInput>
export type QueueView = z.infer<typeof queueView>
export type PlaylistInput = z.infer<typeof playlistInput>
export type PlaylistChange = z.infer<typeof playlistChange>
export type ShareInput = z.infer<typeof shareInput>
export type ShareChange = z.infer<typeof shareChange>
export type ImportResult = z.infer<typeof importResult>

/** What users say of the music: marks, plays, queues and playlists. Each write answers when it is durable (F1). */
export interface Listening {
  /** Stars or rates something. NOT_FOUND where the user cannot see it. */
  mark(
    listener: Listener,
    kind: MarkKind,
    id: Id,
    input: MarkInput,
    signal?: AbortSignal,
  ): Promise<Written<ItemMark>>
  /**
   * Counts a play of a track, and of its album and artists. Reporting the same play again changes nothing, as long as
   * the track has not been played five times since. Answers the mark of the track. While the store is away the play is
   * `kept` on this node, durably, and counted when the store is back; the mark is then what it was.
   */
  play(listener: Listener, input: PlayInput, signal?: AbortSignal): Promise<Played>

  /** The user's queue on every device; an empty one where there is none. */
  queue(listener: Listener, signal?: AbortSignal): Promise<QueueView>
  /** Replaces it. CONFLICT where `basedOn` is given and another device has changed it since. */
  saveQueue(
    listener: Listener,
    input: QueueInput,
    client: string,
    signal?: AbortSignal,
  ): Promise<Written<QueueView>>

  /** Own playlists and those shared with the user, by name. */
  playlists(listener: Listener, signal?: AbortSignal): Promise<PlaylistSummary[]>
  /** NOT_FOUND also where it is someone else's and not shared. */
  playlist(listener: Listener, id: Id, signal?: AbortSignal): Promise<PlaylistDetail>
  /** Its name and the ids of its tracks, whether they are still there or not: for a picture. NOT_FOUND likewise. */
  playlistTracks(
    listener: Listener,
    id: Id,
    signal?: AbortSignal,
  ): Promise<{ readonly name: string; readonly tracks: readonly Id[] }>
  createPlaylist(
    listener: Listener,
    input: PlaylistInput,
    signal?: AbortSignal,
  ): Promise<Written<PlaylistDetail>>
  /** All of the change or none of it. FORBIDDEN where it is only shared, NOT_FOUND where it is not even that. */
  changePlaylist(
    listener: Listener,
    id: Id,
    change: PlaylistChange,
    signal?: AbortSignal,
  ): Promise<Written<PlaylistDetail>>
  removePlaylist(listener: Listener, id: Id, signal?: AbortSignal): Promise<Written<void>>
  /** As an extended M3U file in UTF-8. */
  exportPlaylist(listener: Listener, id: Id, signal?: AbortSignal): Promise<{ name: string; text: string }>
  /** A playlist made of a file; lines that name no track are answered. TOO_LARGE beyond 20,000 tracks or 8 MiB. */
  importPlaylist(
    listener: Listener,
    name: string,
    text: string,
    signal?: AbortSignal,
  ): Promise<Written<ImportResult>>
  /** What a smart playlist with these rules would hold: its first hundred tracks, and how many there are. */
  preview(
    listener: Listener,
    rules: Rules,
    signal?: AbortSignal,
  ): Promise<{ items: TrackSummary[]; total: number }>

  /** The user's bookmarks in the order of what they are in: tracks that they can see, and episodes of podcasts. */
  bookmarks(listener: Listener, signal?: AbortSignal): Promise<BookmarkView[]>
  /** Sets the place in a track or episode to go on from. NOT_FOUND where the user cannot see it. */
  setBookmark(
    listener: Listener,
    track: Id,
    input: Pick<Bookmark, 'positionMs' | 'comment'>,
    signal?: AbortSignal,
  ): Promise<Written<void>>
  /** NOT_FOUND where there is none. */
  removeBookmark(listener: Listener, track: Id, signal?: AbortSignal): Promise<Written<void>>

  /** Internet radio stations, by name. Who may change them is for the gateway to say. */
  stations(signal?: AbortSignal): Promise<Station[]>
  createStation(input: Omit<Station, 'id'>, signal?: AbortSignal): Promise<Written<Station>>
  /** NOT_FOUND where there is none. */
  changeStation(station: Station, signal?: AbortSignal): Promise<Written<void>>
  removeStation(id: Id, signal?: AbortSignal): Promise<Written<void>>

  /** What the listener shares, the newest first. */
  shares(listener: Listener, signal?: AbortSignal): Promise<KnownShare[]>
  /** The share of a link, or null; microseconds, from the index. Whether it has ended is for the gateway to say. */
  share(token: string): KnownShare | null
  /** NOT_FOUND where the listener cannot see one of the items. TOO_LARGE beyond a thousand shares. */
  createShare(listener: Listener, input: ShareInput, signal?: AbortSignal): Promise<Written<KnownShare>>
  /** FORBIDDEN where it is someone else's, here as below. */
  changeShare(
    listener: Listener,
    token: string,
    change: ShareChange,
    signal?: AbortSignal,
  ): Promise<Written<KnownShare>>
  removeShare(listener: Listener, token: string, signal?: AbortSignal): Promise<Written<void>>
  /** What a share holds now, as far as `sharer` sees it: nobody is let in to more than its owner is. */
  shareContent(share: Share, sharer: Listener, signal?: AbortSignal): Promise<ShareContent>
  /** Adds to the visits of a share. */
  countVisits(token: string, visits: number, at: number, signal?: AbortSignal): Promise<void>

  /** What has been said after that time, in milliseconds since 1970; the last thousand messages are kept. */
  messages(since: number, signal?: AbortSignal): Promise<Message[]>
  say(listener: Listener, text: string, signal?: AbortSignal): Promise<Written<void>>
}

export interface KnownShare extends Share {
  readonly token: string
}

/** One item of a share, as it is now. */
export interface SharedItem {
  readonly kind: ShareItem['kind']
  readonly id: Id
  readonly name: string
  readonly artist?: string
  readonly year?: number | undefined
  /** The version of its cover. */
  readonly cover: string
  readonly tracks: readonly TrackSummary[]
}

/** The items that are still there and hold something. */
export interface ShareContent {
  readonly items: readonly SharedItem[]
  /** Theirs, in their order, and no more than 20,000. */
  readonly tracks: readonly TrackSummary[]
}

export interface BookmarkView extends Bookmark {
  /** The track or episode that it is in. */
  readonly id: Id
}

/** What listening asks of the catalog; src/node hands in the catalog itself. */
export interface Music {
  /** Throws NOT_FOUND where the listener cannot see it. */
  nameOf(listener: Listener, kind: MarkKind, id: Id): string
  tracks(listener: Listener, query: TrackQuery, signal?: AbortSignal): Promise<Page<TrackSummary>>
  artistsByIds(
    listener: Listener,
    ids: readonly Id[],
    signal?: AbortSignal,
  ): Promise<(ArtistSummary | null)[]>
  /** Throws NOT_FOUND likewise. */
  track(listener: Listener, id: Id, signal?: AbortSignal): Promise<TrackDetail>
  album(listener: Listener, id: Id, signal?: AbortSignal): Promise<AlbumDetail>
  tracksByIds(listener: Listener, ids: readonly Id[], signal?: AbortSignal): Promise<(TrackSummary | null)[]>
  tracksByRules(listener: Listener, rules: Rules, marksOf: Id, signal?: AbortSignal): Promise<Id[]>
  trackLines(listener: Listener, ids: readonly Id[], signal?: AbortSignal): Promise<(Line | null)[]>
  tracksByLines(
    listener: Listener,
    lines: readonly Partial<Line>[],
    signal?: AbortSignal,
  ): Promise<(Id | null)[]>
  measure(
    listener: Listener,
    playlists: readonly (readonly Id[])[],
    signal?: AbortSignal,
  ): Promise<{ readonly trackCount: number; readonly durationMs: number }[]>
}
