import type { File, Track } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'

export type Change = Put | Drop | Withdraw

/** The track is to say this, and to stand in the album of this identity. */
export interface Put {
  readonly kind: 'put'
  readonly track: Id
  readonly identity: Id
  readonly content: Pick<Track, 'tags' | 'audio' | 'size' | 'fingerprint'>
  /** A place where its file stands, or the upload that it came by; what is known besides stays. */
  readonly file?: File | undefined
  readonly upload?: Track['upload'] | undefined
  readonly blob?: Track['blob'] | undefined
  /** Used where the track is new. Milliseconds. */
  readonly addedAt: number
  /** The album in which the track is known to stand. */
  readonly from?: Id | undefined
}

/** The track has no file at this place any more. A track without any file or upload goes. */
export interface Drop {
  readonly kind: 'drop'
  readonly track: Id
  readonly library: Id
  readonly path: string
  readonly from: Id
}

/** The track is no upload any more. A track without any file or upload goes. */
export interface Withdraw {
  readonly kind: 'withdraw'
  readonly track: Id
  readonly from: Id
}
