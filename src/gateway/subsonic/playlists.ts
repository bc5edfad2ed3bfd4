import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { TrackSummary } from '../../protocol/api/catalog.ts'
import type { PlaylistDetail, PlaylistSummary } from '../../protocol/api/listening.ts'
import { type Content, dateOf, secondsOf } from './content.ts'
import { coverArt } from './cover-art.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure } from './failure.ts'
import { onPlaylist, requireItem } from './item.ts'
import { flag, itemId, many, optional, required, text, wholeNumber } from './parameters.ts'
import { songsOf } from './written.ts'

function playlistOf(playlist: PlaylistSummary): Content {
  return {
    id: playlist.id,
    name: playlist.name,
    comment: playlist.comment,
    owner: playlist.ownerName,
    public: playlist.sharedWith === 'everyone',
    readonly: !playlist.editable || playlist.rules !== undefined,
    songCount: playlist.trackCount,
    duration: secondsOf(playlist.durationMs),
    created: dateOf(playlist.createdAt),
    changed: dateOf(playlist.updatedAt),
    coverArt: coverArt(playlist.id, versionOf(playlist)),
  }
}

/**
 * Of the picture of a playlist, which is put together from those of its songs. A smart one gets and loses songs without
 * being changed, which their number and length show.
 */
function versionOf({ updatedAt, trackCount, durationMs }: PlaylistSummary): string {
  return crc32(`${updatedAt} ${trackCount} ${durationMs}`).toString(16).padStart(8, '0')
}

async function withSongs(parts: Parts, asking: Asking, playlist: PlaylistDetail): Promise<Content> {
  const tracks = playlist.items.filter((track) => track !== null)
  return { ...playlistOf(playlist), entry: await songsOf(parts, asking, tracks, 'entry') }
}

export const getPlaylists = endpoint(
  z.object({ username: optional(text) }),
  async ({ listening, accounts }, { viewer, user, signal }, { username }) => {
    // A name is found however it is written, as it is at the door.
    const owner = username === undefined ? undefined : accounts.userByName(username)
    if (owner !== undefined && owner?.id !== user.id && !viewer.administrator) {
      throw new Failure(50, "Only administrators see other people's playlists")
    }
    const all = await listening.playlists(viewer, signal)
    const shown = owner === undefined ? all : all.filter(({ ownerName }) => ownerName === owner?.name)
    return { playlists: { playlist: shown.map(playlistOf) } }
  },
)

export const getPlaylist = endpoint(z.object({ id: required(itemId) }), (parts, asking, { id }) =>
  onPlaylist(parts, asking, id, async (playlist) => ({
    playlist: await withSongs(
      parts,
      asking,
      await parts.listening.playlist(asking.viewer, playlist, asking.signal),
    ),
  })),
)

const created = z.object({ playlistId: optional(itemId), name: optional(text), songId: many(itemId) })

/** Makes a playlist, or gives an existing one these songs. */
export const createPlaylist = endpoint(created, async (parts, asking, { playlistId, name, songId }) => {
  const { catalog, listening } = parts
  const { viewer, signal } = asking
  const tracks = songId.map((id) => requireItem(catalog, viewer, id, 'track'))
  if (playlistId !== undefined) {
    const change = { ...(name !== undefined && { name }), edits: [{ do: 'replace' as const, tracks }] }
    return onPlaylist(parts, asking, playlistId, async (id) => {
      const written = await listening.changePlaylist(viewer, id, change, signal)
      return { playlist: await withSongs(parts, asking, await settled(parts, written, signal)) }
    })
  }
  if (name === undefined) throw new Failure(10, "Required parameter 'name' is missing")
  const input = { name: name.slice(0, 300), tracks, sharedWith: 'nobody' as const }
  const written = await listening.createPlaylist(viewer, input, signal)
  return { playlist: await withSongs(parts, asking, await settled(parts, written, signal)) }
})

const updated = z.object({
  playlistId: required(itemId),
  name: optional(text),
  comment: required(text).optional(),
  public: flag(false).optional(),
  songIdToAdd: many(itemId),
  songIndexToRemove: many(wholeNumber(0)),
})

export const updatePlaylist = endpoint(updated, (parts, asking, wanted) =>
  onPlaylist(parts, asking, wanted.playlistId, async (id) => {
    const { catalog, listening } = parts
    const { viewer, signal, raw } = asking
    const tracks = wanted.songIdToAdd.map((song) => requireItem(catalog, viewer, song, 'track'))
    const positions =
      wanted.songIndexToRemove.length === 0
        ? []
        : places((await listening.playlist(viewer, id, signal)).items, wanted.songIndexToRemove)
    const edits = [
      ...(positions.length > 0 ? [{ do: 'remove' as const, positions }] : []),
      ...(tracks.length > 0 ? [{ do: 'append' as const, tracks }] : []),
    ]
    const change = {
      ...(wanted.name !== undefined && { name: wanted.name.slice(0, 300) }),
      ...(wanted.comment !== undefined && { comment: wanted.comment.slice(0, 4_000) || null }),
      ...(raw.has('public') && { sharedWith: wanted.public ? ('everyone' as const) : ('nobody' as const) }),
      ...(edits.length > 0 && { edits }),
    }
    await settled(parts, await listening.changePlaylist(viewer, id, change, signal), signal)
    return {}
  }),
)

/** Clients count the songs that they were shown; those that they do not see stand between them. */
function places(items: readonly (TrackSummary | null)[], indexes: readonly number[]): number[] {
  const shown = items.flatMap((item, at) => (item === null ? [] : [at]))
  return [...new Set(indexes)].map((index) => {
    const at = shown[index]
    if (at === undefined) {
      throw new Failure(10, `The parameter 'songIndexToRemove' is not valid: there are ${shown.length} songs`)
    }
    return at
  })
}

export const deletePlaylist = endpoint(z.object({ id: required(itemId) }), (parts, asking, { id }) =>
  onPlaylist(parts, asking, id, async (playlist) => {
    // A playlist that is not there is an error to the API, and none to us.
    await parts.listening.playlist(asking.viewer, playlist, asking.signal)
    const removed = await parts.listening.removePlaylist(asking.viewer, playlist, asking.signal)
    await settled(parts, removed, asking.signal)
    return {}
  }),
)
