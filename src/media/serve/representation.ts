import type { Shortcut } from '../../blobs/blobs.ts'

/**
 * Bytes that can be served: an original file or blob, a cached rendition, a cover. Whoever has bytes describes them
 * this way (blobs, the caches), and `answer.ts` turns the description and a request into an HTTP answer.
 */
export interface Representation extends Disposable {
  /** Bytes in all. */
  readonly size: number
  /** A strong entity tag, quotes included: `"…"`. Equal tags promise equal bytes. */
  readonly etag: string
  /** Milliseconds since 1970; absent where the bytes have no date that means anything. */
  readonly lastModified?: number
  readonly mediaType: string
  /**
   * The bytes from `start` up to, not including, `end`. A chunk may be overwritten once the next one is asked for:
   * whoever keeps a chunk copies it. Chunks are large (64 KiB to 256 KiB) where the source allows. Ending the iteration
   * early releases whatever is open; `signal` ends it with its reason. Dispose of the representation when it is no
   * longer wanted: only then may its bytes be closed or deleted. `send` in `send.ts` does.
   */
  open(range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** There are few who take it and no one hears it: it is opened once, and comes in the same pieces to who takes their time. */
  readonly isBulk?: boolean
  /** As `Copy.shortcut` of the blobs. */
  readonly shortcut?: (offset: number, length: number) => Shortcut | null
}

/** Half-open: `start` ≤ byte < `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Bytes that are still being made, so that neither their number nor their tag is known: served whole, once.
 * Disposing of it gives up this listener's share; what nobody wants any more is no longer made.
 */
export interface Production extends Disposable {
  readonly mediaType: string
  /** What is being made lasts this long, in milliseconds, where that is known. */
  readonly durationMs?: number
  /** Read once. A chunk may be overwritten once the next is asked for. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** Whether `body` is complete (ranges can be served) or still being made. */
export function isComplete(body: Representation | Production): body is Representation {
  return 'open' in body
}
