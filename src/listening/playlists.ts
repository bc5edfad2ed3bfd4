import { randomUUID } from 'node:crypto'
import type { PlaylistDetail, PlaylistSummary } from '../protocol/api/listening.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Playlist } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { create as createFact, update } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { broughtBy, edited, mostTracks } from './edits.ts'
import { playlists } from './facts.ts'
import type { Listener, Listening, PlaylistChange } from './listening.ts'
import { readM3u, writeM3u } from './m3u.ts'
import { createMeasure, type Figures } from './measure.ts'

type PlaylistCalls = Pick<
  Listening,
  | 'playlists'
  | 'playlist'
  | 'playlistTracks'
  | 'createPlaylist'
  | 'changePlaylist'
  | 'removePlaylist'
  | 'exportPlaylist'
  | 'importPlaylist'
  | 'preview'
>

const previewed = 100

export function createPlaylists(parts: ListeningOptions): PlaylistCalls {
  const { store, index, catalog, userName } = parts
  const ask = index.reader<typeof import('./queries.ts')>(new URL('./queries.ts', import.meta.url))
  const measure = createMeasure(parts)

  async function summaries(
    listener: Listener,
    list: readonly Playlist[],
    signal?: AbortSignal,
  ): Promise<PlaylistSummary[]> {
    const figures = await measure(listener, list, signal)
    return list.map((each, at) => summary(listener, each, figures[at] ?? { trackCount: 0, durationMs: 0 }))
  }

  function summary(listener: Listener, { tracks: _tracks, ...playlist }: Playlist, figures: Figures) {
    const { owner, sharedWith, updatedAt } = playlist
    const own = owner === listener.user
    return {
      ...playlist,
      // Who else reads it is the owner's business.
      sharedWith: own || sharedWith === 'everyone' ? sharedWith : [listener.user],
      ownerName: userName(owner) ?? '',
      ...figures,
      editable: own,
      cover: String(updatedAt),
    }
  }

  async function detail(
    listener: Listener,
    playlist: Playlist,
    signal?: AbortSignal,
  ): Promise<PlaylistDetail> {
    const items = await catalog.tracksByIds(listener, await tracksOf(listener, playlist, signal), signal)
    const shown = playlist.rules === undefined ? items : items.filter((item) => item !== null)
    const durationMs = shown.reduce((sum, item) => sum + (item?.durationMs ?? 0), 0)
    const trackCount = shown.filter((item) => item !== null).length
    return { ...summary(listener, playlist, { trackCount, durationMs }), items: shown }
  }

  /** Of a smart playlist: what fits its rules by the marks of its owner, as far as the listener sees it. */
  async function tracksOf(listener: Listener, { tracks, rules, owner }: Playlist, signal?: AbortSignal) {
    return rules === undefined ? tracks : await catalog.tracksByRules(listener, rules, owner, signal)
  }

  async function read(listener: Listener, id: Id, signal?: AbortSignal): Promise<Playlist> {
    const fact = await playlists.get(store, id, signal)
    if (fact === null || !mayRead(fact.value, listener)) throw new CodedError('NOT_FOUND', `playlist ${id}`)
    return fact.value
  }

  async function create(
    listener: Listener,
    input: Omit<Playlist, 'id' | 'owner' | 'createdAt' | 'updatedAt'>,
    signal?: AbortSignal,
  ) {
    const now = Date.now()
    const playlist: Playlist = {
      ...input,
      id: randomUUID(),
      owner: listener.user,
      createdAt: now,
      updatedAt: now,
    }
    const { revision } = await createFact(store, playlists, playlist.id, playlist, signal)
    return { playlist, revision }
  }

  /** Throws NOT_FOUND at the first of the tracks that the listener cannot see. */
  async function requireVisible(
    listener: Listener,
    tracks: Iterable<Id>,
    signal?: AbortSignal,
  ): Promise<void> {
    const ids = [...new Set(tracks)]
    const lines = await catalog.trackLines(listener, ids, signal)
    const missing = ids.find((_, at) => lines[at] === null)
    if (missing !== undefined) throw new CodedError('NOT_FOUND', `track ${missing}`)
  }

  return {
    async playlists(listener, signal) {
      return summaries(listener, await ask.playlistsOf(listener.user, signal), signal)
    },

    async playlist(listener, id, signal) {
      return detail(listener, await read(listener, id, signal), signal)
    },

    async playlistTracks(listener, id, signal) {
      const playlist = await read(listener, id, signal)
      return { name: playlist.name, tracks: await tracksOf(listener, playlist, signal) }
    },

    async createPlaylist(listener, { rules, ...input }, signal) {
      if (rules !== undefined && input.tracks.length > 0) throw smartHasNoTracks()
      await requireVisible(listener, input.tracks, signal)
      const { playlist, revision } = await create(
        listener,
        rules === undefined ? input : { ...input, rules },
        signal,
      )
      return { value: await detail(listener, playlist, signal), revision }
    },

    async changePlaylist(listener, id, change, signal) {
      const before = await read(listener, id, signal)
      const own = new Set(before.tracks)
      await requireVisible(listener, broughtBy(change.edits ?? []).difference(own), signal)
      const { value, revision } = await update(
        store,
        playlists,
        id,
        (playlist) => changed(owned(playlist, listener, id), change, Date.now()),
        signal,
      )
      if (value === null) throw new CodedError('NOT_FOUND', `playlist ${id}`)
      return { value: await detail(listener, value, signal), revision }
    },

    async removePlaylist(listener, id, signal) {
      const { revision } = await update(
        store,
        playlists,
        id,
        (playlist) => {
          owned(playlist, listener, id)
          return null
        },
        signal,
      )
      return { value: undefined, revision }
    },

    async exportPlaylist(listener, id, signal) {
      const playlist = await read(listener, id, signal)
      const lines = await catalog.trackLines(listener, await tracksOf(listener, playlist, signal), signal)
      const shown = lines.filter((line) => line !== null)
      return { name: playlist.name, text: writeM3u(playlist.name, shown) }
    },

    async importPlaylist(listener, name, text, signal) {
      const file = readM3u(text)
      const found = await catalog.tracksByLines(listener, file.lines, signal)
      const { playlist, revision } = await create(
        listener,
        {
          name: (name.trim() || file.name || 'Playlist').slice(0, 300),
          sharedWith: 'nobody',
          tracks: found.filter((id) => id !== null).slice(0, mostTracks),
        },
        signal,
      )
      const [imported] = await summaries(listener, [playlist], signal)
      if (imported === undefined) throw new Error('no summary of a playlist')
      const unmatched = file.lines
        .filter((_, at) => found[at] === null)
        .map((line) => ({ line: line.line, text: line.text }))
      return { value: { playlist: imported, unmatched }, revision }
    },

    async preview(listener, rules, signal) {
      const ids = await catalog.tracksByRules(listener, rules, listener.user, signal)
      const items = await catalog.tracksByIds(listener, ids.slice(0, previewed), signal)
      return { items: items.filter((item) => item !== null), total: ids.length }
    },
  }
}

function mayRead({ owner, sharedWith }: Playlist, { user }: Listener): boolean {
  return owner === user || sharedWith === 'everyone' || (sharedWith !== 'nobody' && sharedWith.includes(user))
}

/** The playlist, where it is the listener's own. */
function owned(playlist: Playlist | null, listener: Listener, id: Id): Playlist {
  if (playlist === null || !mayRead(playlist, listener)) throw new CodedError('NOT_FOUND', `playlist ${id}`)
  if (playlist.owner !== listener.user) throw new CodedError('FORBIDDEN', 'only its owner changes a playlist')
  return playlist
}

function changed(playlist: Playlist, change: PlaylistChange, now: number): Playlist {
  const { name, comment, sharedWith, rules, edits } = change
  const { comment: before, ...rest } = playlist
  const smart = rules ?? playlist.rules
  if (smart !== undefined && (edits !== undefined || playlist.tracks.length > 0)) throw smartHasNoTracks()
  const kept = comment === undefined ? before : (comment ?? undefined)
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(kept === undefined ? {} : { comment: kept }),
    ...(sharedWith === undefined ? {} : { sharedWith }),
    ...(smart === undefined ? {} : { rules: smart }),
    ...(edits === undefined ? {} : { tracks: edited(playlist.tracks, edits) }),
    updatedAt: Math.max(now, playlist.updatedAt + 1),
  }
}

function smartHasNoTracks(): CodedError {
  return new CodedError('BAD_REQUEST', 'a playlist has either rules or tracks')
}
