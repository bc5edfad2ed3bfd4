import type { Representation } from '../serve/representation.ts'

/** Longest edge in pixels of the pictures that are kept; what is asked for is rounded up to one of them. */
export const coverSizes = [64, 128, 256, 512, 1024] as const

export interface CoverRequest {
  /** The id of what is pictured. The placeholder's colours and pattern follow from it. */
  readonly id: string
  /** Its name, for the placeholder's initials. */
  readonly name: string
  /**
   * The pictures to choose from, best first. Four or more make a mosaic where `mosaic` is set; otherwise the first one
   * that can be read is shown. Empty: the placeholder.
   */
  readonly pictures: readonly Picture[]
  readonly mosaic?: boolean
  /** The longest edge wanted, in pixels. Absent: the largest that is kept. A picture is never made larger than it is. */
  readonly size?: number
  /** The request's Accept header: WebP where it names it, else JPEG. The placeholder is SVG. */
  readonly accept?: string | undefined
}

export interface Cover extends Representation {
  /** It stands for a picture that there is not, or that could not be had. */
  readonly isDrawn: boolean
}

export interface Picture {
  /** Names the picture's content (a track's fingerprint, a picture file's path and time): a part of the cache's key. */
  readonly version: string
  /** Where it lies, for whoever is told that it cannot be read: a file of a library. */
  readonly place?: PicturePlace | undefined
  /** Gets the picture; called only when the cache does not have it. null: there is none after all. */
  read(signal: AbortSignal): Promise<CoverSource | null>
}

/** A picture file, or the music file that carries the picture; the path is relative to the library. */
export interface PicturePlace {
  readonly library: string
  readonly path: string
}

/** An embedded picture's bytes, or an image file beside the music (a Buffer where its name is not valid UTF-8). */
export type CoverSource = { readonly bytes: Uint8Array } | { readonly path: string | Buffer }

export interface CoverProblem {
  /** The id and picture version of the request that met it. */
  readonly id: string
  readonly version: string
  readonly place: PicturePlace | undefined
  readonly code: 'COVER_UNREADABLE'
  readonly detail: string
}
