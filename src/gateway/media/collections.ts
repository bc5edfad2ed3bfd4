import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import { songsOfArtist } from '../../listening/artist.ts'
import type { Listening } from '../../listening/listening.ts'
import { createZipNames } from '../../media/zip/names.ts'
import type { TrackSummary } from '../../protocol/api/catalog.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'

/** Songs that are taken together, as far as the viewer sees them, and the names of their files. */
export interface Collection {
  readonly name: string
  readonly songs: readonly CollectedSong[]
}

export interface CollectedSong {
  readonly id: Id
  readonly size: number
  /** Its place in the zip. */
  readonly path: string
}

export type CollectionKind = 'album' | 'artist' | 'playlist'

interface Parts {
  readonly catalog: Pick<Catalog, 'album' | 'artistsByIds' | 'tracks'>
  readonly listening: Pick<Listening, 'playlist'>
}

/** As many as a playlist may have. */
const mostSongs = 20_000

/** NOT_FOUND where there is none that the viewer may see. TOO_LARGE. */
export function readCollection(
  parts: Parts,
  viewer: Viewer,
  kind: CollectionKind,
  id: Id,
  signal: AbortSignal,
): Promise<Collection> {
  return read[kind](parts, viewer, id, signal)
}

type Read = (parts: Parts, viewer: Viewer, id: Id, signal: AbortSignal) => Promise<Collection>

const read: Readonly<Record<CollectionKind, Read>> = {
  async album({ catalog }, viewer, id, signal) {
    const { name, artist, tracks } = await catalog.album(viewer, id, signal)
    return { name: artist === '' ? name : `${artist} - ${name}`, songs: byAlbum(tracks) }
  },

  /** Their albums, whoever is heard on them, and what credits them on those of others. */
  async artist({ catalog }, viewer, id, signal) {
    const [artist] = await catalog.artistsByIds(viewer, [id], signal)
    if (!artist) throw new CodedError('NOT_FOUND', `artist ${id}`)
    const tracks: TrackSummary[] = []
    for await (const page of songsOfArtist(catalog, viewer, id, signal)) {
      tracks.push(...page)
      if (tracks.length > mostSongs) throw new CodedError('TOO_LARGE', `more than ${mostSongs} songs`)
    }
    return { name: artist.name, songs: byAlbum(tracks) }
  },

  async playlist({ listening }, viewer, id, signal) {
    const { name, items } = await listening.playlist(viewer, id, signal)
    return { name, songs: inOrder(name, items) }
  },
}

/** Each album in a folder of its own: `First/01 - One.mp3`, where there are several discs `First/2-01 - One.mp3`. */
function byAlbum(tracks: readonly TrackSummary[]): CollectedSong[] {
  const names = createZipNames()
  const discs = new Map<Id, Set<number>>()
  for (const { album, disc = 1 } of tracks) discs.set(album.id, (discs.get(album.id) ?? new Set()).add(disc))
  return tracks.map(({ id, size, title, suffix, album, disc = 1, track }) => {
    const numbers = [
      ...((discs.get(album.id)?.size ?? 0) > 1 ? [String(disc)] : []),
      // Zero is what taggers write for no number.
      ...(track ? [String(track).padStart(2, '0')] : []),
    ]
    const number = numbers.length === 0 ? '' : `${numbers.join('-')} - `
    const folder = names.folder(album.id, album.name)
    return { id, size, path: names.file(folder, `${number}${title}`, suffix) }
  })
}

/** By their numbers in the playlist. Those that are gone, or not for the viewer, keep theirs. */
function inOrder(name: string, items: readonly (TrackSummary | null)[]): CollectedSong[] {
  const names = createZipNames()
  const folder = names.folder('', name)
  const digits = Math.max(2, String(items.length).length)
  return items.flatMap((track, at) => {
    if (track === null) return []
    const number = String(at + 1).padStart(digits, '0')
    const title = track.artist === '' ? track.title : `${track.artist} - ${track.title}`
    return [
      { id: track.id, size: track.size, path: names.file(folder, `${number} - ${title}`, track.suffix) },
    ]
  })
}
