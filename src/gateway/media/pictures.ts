import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog, PictureSource, Viewer } from '../../catalog/catalog.ts'
import type { Listening } from '../../listening/listening.ts'
import type { Picture } from '../../media/covers/cover.ts'
import type { Media } from '../../media/media.ts'
import type { Id } from '../../protocol/ids.ts'
import { signalOf } from '../signal.ts'
import { sendBytes } from './answer.ts'
import type { Tracks } from './tracks.ts'

export interface CoverParts {
  readonly catalog: Pick<Catalog, 'source' | 'pictures' | 'nameOf' | 'tracksByIds'>
  readonly listening: Pick<Listening, 'playlistTracks'>
  readonly media: Pick<Media, 'cover'>
  readonly tracks: Tracks
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
  { catalog, listening, media, tracks }: CoverParts,
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
  const pictures = await picturesOf(sources, viewer, { catalog, tracks })
  const { accept } = request.headers
  const wanted = { id, name, pictures, mosaic, accept, ...(size !== undefined && { size }) }
  const picture = await media.cover(wanted, signal)
  const immutable = v !== undefined && pictures.some((each) => each.version === v)
  await sendBytes(request, reply, picture, { immutable, vary: 'accept' })
}

/** The pictures that the catalog knows of, as the media role reads them. */
export async function picturesOf(
  sources: readonly PictureSource[],
  viewer: Viewer,
  { catalog, tracks }: { readonly catalog: Pick<Catalog, 'source'>; readonly tracks: Tracks },
): Promise<readonly Picture[]> {
  const pictures = sources.map(async (source): Promise<Picture | null> => {
    const { version, place, file } = source
    if (source.embedded) {
      const read = (signal: AbortSignal) => tracks.embeddedCover(catalog.source(viewer, source.track), signal)
      return { version, place, read }
    }
    const path = file && tracks.pathOf(file.library, file.path)
    if (!path) {
      const read = file && tracks.pictureElsewhere(file.library, file.path)
      return read ? { version, place, read } : null
    }
    const found = await lstat(path).catch(() => null)
    if (found === null) return null
    // Another picture may have come under its name since the scan that `version` speaks of.
    const isAsScanned = Math.trunc(found.mtimeMs) === file.modifiedAt
    return { version: isAsScanned ? version : changed(version, found), place, read: async () => ({ path }) }
  })
  return (await Promise.all(pictures)).filter((picture) => picture !== null)
}

function changed(version: string, { size, mtimeMs, ctimeMs }: Stats): string {
  return [version, ...[size, mtimeMs, ctimeMs].map((each) => Math.trunc(each).toString(36))].join('-')
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
