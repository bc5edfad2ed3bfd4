import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog, PictureSource, Viewer } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import { signalOf } from '../signal.ts'
import { sendBytes } from './answer.ts'
import type { Renditions, TrackPicture, WantedPicture } from './renditions.ts'

export interface CoverParts {
  readonly catalog: Pick<Catalog, 'source' | 'pictures' | 'nameOf' | 'tracksByIds'>
  readonly listening: Pick<Listening, 'playlistTracks'>
  readonly renditions: Pick<Renditions, 'cover'>
}

export interface WantedCover {
  readonly kind: 'track' | 'album' | 'artist' | 'playlist'
  readonly id: Id
  /** The longest edge in pixels. */
  readonly size: number | undefined
  /** The version that the asker has seen in its summary: the answer may be kept for ever. */
  readonly v: string | undefined
}

/** Answers with the picture of something, as far as the viewer sees it. */
export async function sendCover(
  { catalog, listening, renditions }: CoverParts,
  request: FastifyRequest,
  reply: FastifyReply,
  viewer: Viewer,
  { kind, id, size, v }: WantedCover,
): Promise<void> {
  const signal = signalOf(reply)
  const { name, sources, mosaic } =
    kind === 'playlist'
      ? await playlistPicture(viewer, id, { catalog, listening }, signal)
      : {
          name: catalog.nameOf(viewer, kind, id),
          sources: catalog.pictures(viewer, kind, id),
          mosaic: false,
        }
  const pictures = picturesOf(sources, viewer, catalog)
  await sendPicture({ renditions }, request, reply, { id, name, pictures, mosaic, size, v })
}

/** Answers with the first of the pictures that can be read, or a drawn one, in a form that the browser knows. */
export async function sendPicture(
  { renditions }: Pick<CoverParts, 'renditions'>,
  request: FastifyRequest,
  reply: FastifyReply,
  wanted: Omit<WantedPicture, 'accept'>,
): Promise<void> {
  const { accept } = request.headers
  const { bytes, immutable } = await renditions.cover({ ...wanted, accept }, signalOf(reply))
  await sendBytes(request, reply, bytes, { immutable, vary: 'accept' })
}

/** The pictures with what must be known to read them. */
export function picturesOf(
  sources: readonly PictureSource[],
  viewer: Viewer,
  catalog: Pick<Catalog, 'source'>,
): readonly TrackPicture[] {
  return sources.map(({ version, place, file, embedded, track }) => ({
    version,
    place,
    file,
    within: embedded ? catalog.source(viewer, track) : null,
  }))
}

/** Pictures that a mosaic is made of. */
const mosaicPictures = 4
/** Tracks that are looked up at once, and at most: a long playlist of one album has one picture. */
const tracksAtOnce = 50
const mostTracks = 500

interface PlaylistParts {
  readonly catalog: Pick<Catalog, 'pictures' | 'tracksByIds'>
  readonly listening: Pick<Listening, 'playlistTracks'>
}

/** A playlist shows the pictures of its first albums that have one. NOT_FOUND where the viewer may not read it. */
export async function playlistPicture(
  viewer: Viewer,
  id: Id,
  { catalog, listening }: PlaylistParts,
  signal: AbortSignal,
): Promise<{ name: string; sources: readonly PictureSource[]; mosaic: true }> {
  const { name, tracks } = await listening.playlistTracks(viewer, id, signal)
  const albums = new Set<Id>()
  const sources: PictureSource[] = []
  for (let at = 0; at < Math.min(tracks.length, mostTracks); at += tracksAtOnce) {
    for (const track of await catalog.tracksByIds(viewer, tracks.slice(at, at + tracksAtOnce), signal)) {
      if (sources.length === mosaicPictures) return { name, sources, mosaic: true }
      if (track === null || albums.has(track.album.id)) continue
      albums.add(track.album.id)
      sources.push(...catalog.pictures(viewer, 'track', track.id).slice(0, 1))
    }
  }
  return { name, sources, mosaic: true }
}
