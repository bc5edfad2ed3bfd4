import type { BlobHash } from '../protocol/ids.ts'
import type { Digest } from './digest.ts'

/**
 * The port to the bytes of one node: blobs, which are named by the SHA-256 of their content and never change (B1).
 * `disk.ts` implements it over a folder. Every call takes an AbortSignal and rejects with its reason.
 *
 * Errors of the disk arrive as codes: DISK_FULL, DISK_READ_ONLY, DISK_FAILED.
 */
export interface Blobs extends AsyncDisposable {
  /**
   * Reads `source` to its end and keeps its bytes, durably before it answers (B2). Content that is here already is
   * recognised and not kept twice. Where `expected` is given and the bytes do not match it: BLOB_MISMATCH, and nothing
   * is kept. `size`, where known, lets a full disk be seen before the first byte is written.
   */
  put(source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored>

  /**
   * As `put`, where others write and hash the bytes: `write` gets a folder, and answers with a file in it that is durable.
   */
  keep(write: (folder: string) => Promise<Written>, options?: PutOptions): Promise<Stored>

  /**
   * Takes over a finished file of the same file system, without copying it: an upload becomes a blob. Afterwards
   * nothing stands at `path`; when it rejects, the file still stands there. `announce` is told the blob's name before the
   * file leaves its place, so that whoever dies in between can find it again (N2).
   */
  adopt(path: string, options?: AdoptOptions): Promise<Stored>

  /** The size of a blob in bytes, or null where it is not here (a corrupt one is not here). */
  size(hash: BlobHash, signal?: AbortSignal): Promise<number | null>

  /** Opens a blob for reading. Dispose of the reader. BLOB_MISSING, BLOB_CORRUPT. */
  open(hash: BlobHash, signal?: AbortSignal): Promise<Reader>

  /**
   * Reads all of a blob and compares it with its name. What does not match is set aside, never to be served again,
   * and healed from another verified copy where there is one.
   */
  verify(hash: BlobHash, pace?: Pace): Promise<Verdict>

  /**
   * Whether the copy here has just been read whole, matched, and is not about to be removed: for another node that
   * wants to remove its own (B4). Refuses at once while a `remove` of this blob runs here: of several nodes that want to
   * drop their copies at the same time, the last to begin finds nobody who vouches, and keeps its copy.
   */
  vouch(hash: BlobHash, pace?: Pace): Promise<boolean>

  /**
   * Deletes a surplus copy (B4): only after `verifyOthers` has answered how many other copies were read whole and
   * matched just now, each by a `vouch` that began after this call. With none: LAST_COPY, and nothing is deleted.
   */
  remove(hash: BlobHash, verifyOthers: VerifyOthers, signal?: AbortSignal): Promise<void>

  /**
   * Deletes what no fact refers to any more: blobs that have been here for longer than `graceMs` (at least an hour
   * in service, for a blob is durable before its facts are committed) and that `isReferenced` disowns. Answers what
   * was freed.
   */
  collect(isReferenced: IsReferenced, graceMs: number, signal?: AbortSignal): Promise<Collected>

  /** Every blob that is here, in the order of their names, after the name `after` where one is given. */
  list(after?: BlobHash, signal?: AbortSignal): AsyncIterable<Listed>

  /** Blobs that were set aside and have not been healed yet; `verify` tries it again. */
  damaged(): Promise<BlobHash[]>

  /** Bytes that can still be written, and the size of the file system that holds the blobs. */
  space(): Promise<{ free: number; total: number }>
}

export interface PutOptions {
  readonly expected?: BlobHash
  readonly size?: number
  readonly signal?: AbortSignal
}

/** A file whose bytes are durable, and which has no name as a blob yet. */
export interface Written {
  readonly path: string
  readonly digest: Digest
}

export interface AdoptOptions extends Omit<PutOptions, 'size'> {
  readonly announce?: (hash: BlobHash) => Promise<void>
}

export interface Stored {
  readonly hash: BlobHash
  readonly size: number
  /** The same content was here before. */
  readonly duplicate: boolean
}

export interface Listed {
  readonly hash: BlobHash
  readonly size: number
  /** When it came here, in milliseconds since 1970. */
  readonly storedAt: number
}

export interface Collected {
  readonly blobs: number
  readonly bytes: number
}

export type IsReferenced = (hash: BlobHash) => boolean | Promise<boolean>
export type VerifyOthers = (hash: BlobHash, signal?: AbortSignal) => Promise<number>

/** `sound`; `missing`; `corrupt` and set aside; `healed`: was corrupt, and a verified copy has taken its place. */
export type Verdict = 'sound' | 'missing' | 'corrupt' | 'healed'

/** How fast background reading may go. */
export interface Pace {
  /** Absent: as fast as the disk. */
  readonly bytesPerSecond?: number
  readonly signal?: AbortSignal
}

/** Bytes `start` to `end`, the end excluded. */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * Sends bytes that need no further look to the open socket of this number, at once: nothing may be waiting to be written
 * before them but `head`, which goes first. Answers how many went, those of `head` included; fewer or none where the
 * socket has no room now.
 */
export type Shortcut = (socket: number, head?: Uint8Array) => number

/** An open copy of some content, here or on another node. */
export interface Copy extends Disposable {
  readonly size: number
  /** The bytes of the range in pieces of up to 256 KiB. A piece may be overwritten once the next one is asked for. */
  chunks(range?: Range, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /**
   * A way for up to `length` bytes from `offset` past this process, where they were compared with their sums moments ago
   * and their file has not been touched since. Null: read them. Use it at once.
   */
  readonly shortcut?: (offset: number, length: number) => Shortcut | null
}

/**
 * An open blob or file of this node. Not a byte leaves it before its block has been checked against the sums (B1); a mismatch
 * throws BLOB_CORRUPT at the block where it is, after the sound bytes before it were handed out, so that a caller can
 * go on with another copy at the same offset (B5).
 */
export interface Reader extends Copy {
  /**
   * False only for a file in place whose content has not been hashed yet: its bytes are served as they are, and each
   * read makes sure that the file has not changed meanwhile (FILE_CHANGED).
   */
  readonly verified: boolean
  /** Where the file stands, for a decoder in a child process (S1), which reads it without these checks. */
  readonly path: string | Buffer

  /**
   * As `chunks`, for who reads all of it and nobody soon after: in pieces of up to 512 KiB, and not through the memory that
   * keeps for the next listener what one has heard.
   */
  scan(range: Range, signal?: AbortSignal): AsyncIterable<Uint8Array>

  /** Lends up to `length` bytes from `offset`: at most 256 KiB, fewer where memory is short, none at the end. */
  lend(offset: number, length: number, signal?: AbortSignal): Promise<Loan>
}

/** Bytes of a shared buffer: read only, valid until `release`, which must be called once. */
export interface Loan {
  readonly bytes: Uint8Array
  release(): void
}

/** A file of a music folder: a blob in place, read and never changed (B4). */
export interface PlacedFile {
  /** The folder that the file must lie in, and its path there; Buffers where they are not valid UTF-8. */
  readonly root: string | Buffer
  readonly path: string | Buffer
  /** What was known of it when its tags were read. `modifiedAt` in milliseconds. */
  readonly size: number
  readonly modifiedAt: number
  /** Its SHA-256, once it has been hashed: ranges are then verified. */
  readonly hash?: BlobHash | undefined
}

/** Music folders as blobs in place. */
export interface InPlace {
  /**
   * Opens the file for reading. FILE_MISSING where nothing is there any more, FILE_CHANGED where size or time differ
   * from what is known (scan it again), FILE_UNREADABLE where it may not be read, is no plain file, or lies outside
   * of its root through a link.
   */
  open(file: PlacedFile, signal?: AbortSignal): Promise<Reader>

  /** Reads the file whole, on another thread, and keeps its sums so that its ranges are verified from now on. */
  hash(file: Omit<PlacedFile, 'hash'>, pace?: Pace): Promise<BlobHash>

  /** Reads the file whole and compares it with its hash. Nothing is ever written to it. */
  verify(file: PlacedFile & { readonly hash: BlobHash }, pace?: Pace): Promise<'sound' | 'corrupt'>
}

/** Other places where the content of a blob may be had: tried in turn, each verified as it is read. */
export type OtherCopies = (hash: BlobHash) => AsyncIterable<Copy> | Iterable<Copy>

/** What an administrator should hear of. `file` is one of a music folder; absent, it is a blob. */
export interface BlobEvent {
  readonly kind: 'corrupt' | 'healed'
  readonly hash: BlobHash
  readonly file?: Pick<PlacedFile, 'root' | 'path'>
}
