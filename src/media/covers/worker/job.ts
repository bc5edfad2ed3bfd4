export type PictureFormat = 'webp' | 'jpeg'

/** What the picture worker is asked for; a frame's header. Its body: the picture, the four in turn, or the drawing. */
export type PictureJob = { readonly id: number; readonly size: number; readonly format: PictureFormat } & (
  | {
      readonly kind: 'fit'
      /** In base64: the file to read instead of the body. */
      readonly path?: string
    }
  | { readonly kind: 'mosaic'; readonly lengths: readonly number[] }
  | { readonly kind: 'draw' }
)
