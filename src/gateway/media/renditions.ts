import type { Stats } from 'node:fs'
import type { PictureSource, TrackSource } from '../../catalog/catalog.ts'
import type { TagReader } from '../../catalog/tags/reader.ts'
import type { Picture } from '../../media/covers/cover.ts'
import type { Media } from '../../media/media.ts'
import type { Production, Representation } from '../../media/serve/representation.ts'
import type { Rendition } from '../../media/transcode/transcoder.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Beside } from './beside.ts'
import { isCurrent, type Tracks, textOf } from './tracks.ts'

/**
 * What is made of music for listeners, by a node with the role `media`: this one, or another that is asked. Errors: those
 * of the transcoder and of opening the track; ROLE_AWAY where no such node lives.
 */
export interface Renditions {
  /** The track as something else, or as it is stored where that suffices. Dispose of the bytes. */
  transcode(source: TrackSource, wanted: WantedRendition, signal: AbortSignal): Promise<Made>
  /** A picture, always: a drawn one where none can be read. Dispose of the bytes. */
  cover(wanted: WantedPicture, signal: AbortSignal): Promise<MadePicture>
}

export interface WantedRendition extends Rendition {
  /** The version that the asker has seen in the summary. */
  readonly v: string | undefined
}

export interface Made {
  readonly bytes: Representation | Production
  /** They are of the version that was asked for, and may be kept for ever. */
  readonly immutable: boolean
}

export interface MadePicture extends Made {
  readonly bytes: Representation
}

export interface WantedPicture {
  readonly id: Id
  /** For the initials of a drawn picture. */
  readonly name: string
  /** Best first. */
  readonly pictures: readonly TrackPicture[]
  readonly mosaic: boolean
  readonly accept: string | undefined
  /** The longest edge in pixels. */
  readonly size: number | undefined
  readonly v: string | undefined
}

/** A picture that the catalog knows of. */
export interface TrackPicture extends Pick<PictureSource, 'version' | 'place' | 'file'> {
  /** The track in whose file it is; null: it is a file of its own. */
  readonly within: TrackSource | null
}

export type PictureElsewhere = (
  library: Id,
  path: string,
) => ((signal: AbortSignal) => Promise<{ readonly bytes: Uint8Array } | null>) | null

export interface RenditionsParts {
  readonly media: Pick<Media, 'transcode' | 'cover'>
  readonly tracks: Pick<Tracks, 'openFile'>
  readonly beside: Beside
  /** Gets a picture beside music that is on another node, while no blob's name is known; null where the library is on none. */
  readonly pictureElsewhere: PictureElsewhere
  readonly tagReader: Pick<TagReader, 'readCover'>
}

/** What this node makes itself. */
export function createRenditions(parts: RenditionsParts): Renditions {
  const { media, tracks, beside, pictureElsewhere, tagReader } = parts

  async function embeddedCover(source: TrackSource, signal: AbortSignal) {
    using original = await tracks.openFile(source, signal)
    return await tagReader.readCover(textOf(original.path), signal)
  }

  /** The picture as the media role reads it; null where it is known to be gone. */
  async function pictureOf({ version, place, file, within }: TrackPicture): Promise<Picture | null> {
    if (within !== null) return { version, place, read: (signal) => embeddedCover(within, signal) }
    if (file === undefined) return null
    const { library, path, modifiedAt, is } = file
    const found = await beside.find(library, path)
    if (found === null) {
      const read =
        is === undefined ? pictureElsewhere(library, path) : (signal: AbortSignal) => beside.copy(is, signal)
      return read && { version, place, read }
    }
    // Another picture may have come under its name since the scan that `version` speaks of.
    const isAsScanned = Math.trunc(found.stats.mtimeMs) === modifiedAt
    const read = async () => ({ path: found.path })
    return { version: isAsScanned ? version : changed(version, found.stats), place, read }
  }

  return {
    async transcode(source, { v, ...rendition }, signal) {
      const original = await tracks.openFile(source, signal)
      try {
        const { path, version } = original
        const { codec, bitrate, durationMs } = source
        const audio = { path, version, codec, bitrate, durationMs, original }
        const bytes = await media.transcode(audio, rendition, signal)
        return { bytes: withOriginal(bytes, original), immutable: isCurrent(source, original, v) }
      } catch (error) {
        original[Symbol.dispose]()
        throw error
      }
    },

    async cover({ id, name, pictures: known, mosaic, accept, size, v }, signal) {
      const pictures = (await Promise.all(known.map(pictureOf))).filter((picture) => picture !== null)
      const wanted = { id, name, pictures, mosaic, accept, ...(size !== undefined && { size }) }
      const bytes = await media.cover(wanted, signal)
      // What is drawn in place of a picture that cannot be had now makes room for it.
      const isOfVersion = v !== undefined && pictures.some(({ version }) => version === v)
      return { bytes, immutable: isOfVersion && !bytes.isDrawn }
    },
  }
}

/** The file stays open for as long as something is made of it. */
function withOriginal<Bytes extends Representation | Production>(bytes: Bytes, original: Disposable): Bytes {
  return {
    ...bytes,
    [Symbol.dispose]() {
      bytes[Symbol.dispose]()
      original[Symbol.dispose]()
    },
  }
}

function changed(version: string, { size, mtimeMs, ctimeMs }: Stats): string {
  return [version, ...[size, mtimeMs, ctimeMs].map((each) => Math.trunc(each).toString(36))].join('-')
}
