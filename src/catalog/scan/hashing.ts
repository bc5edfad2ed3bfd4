import { stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { InPlace, PlacedFile } from '../../blobs/blobs.ts'
import type { Index } from '../../index/index.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Beside, File, Track } from '../../protocol/facts/catalog.ts'
import { largestLyrics, largestPicture } from '../../protocol/facts/sizes.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { update } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { besideOf, type FileBeside } from '../beside.ts'
import { albumParts, partId } from '../facts.ts'
import { listLibraries } from '../libraries.ts'
import type { Places } from '../places.ts'
import { caughtUp } from './caught-up.ts'
import type { Unhashed, UnhashedAlbum, UnhashedBeside } from './hashing-queries.ts'
import { isLyricsName } from './names.ts'
import { pathBytes } from './path.ts'

export interface HashingOptions {
  readonly store: Store
  readonly index: Index
  readonly places: Pick<Places, 'files' | 'isHere' | 'root'>
  readonly inPlace: Pick<InPlace, 'hash' | 'verify'>
  /** While a scan runs, the disk is its own. */
  readonly isScanning: () => boolean
  /** While somebody listens, reading whole files waits for them, though not for ever. */
  readonly isHeard: () => boolean
  readonly bytesPerSecond: number
}

/**
 * Reads the files of music folders whole, one after another and at leisure, so that tracks, and the pictures and lyrics
 * beside them, get a blob's name.
 */
export interface Hashing {
  /** Goes through all that is not hashed, once; tells how many tracks remain. Resolves with how many have been hashed. */
  run(signal: AbortSignal, remaining: (tracks: number) => void): Promise<number>
}

/** How long to wait before looking again whether others need the disk. */
const politenessMs = 1_000
/** How long each file waits for listeners: where somebody listens day and night, all files shall be read all the same. */
const patienceMs = 10_000

export function createHashing(options: HashingOptions): Hashing {
  const { store, index, places, inPlace, isScanning, isHeard, bytesPerSecond } = options
  const queries = index.reader<typeof import('./hashing-queries.ts')>(
    new URL('./hashing-queries.ts', import.meta.url),
  )

  async function giveWay(signal: AbortSignal): Promise<void> {
    const end = performance.now() + patienceMs
    while (isScanning() || (isHeard() && performance.now() < end)) {
      await pause(politenessMs, undefined, { signal, ref: false })
    }
  }

  /** Undefined: it has changed, gone, or cannot be read; the next scan sees to it. */
  async function hashOf(file: PlacedFile, signal: AbortSignal): Promise<BlobHash | undefined> {
    try {
      return await inPlace.hash(file, { bytesPerSecond, signal })
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return undefined
    }
  }

  async function hashTrack(files: readonly Unhashed[], signal: AbortSignal): Promise<BlobHash | undefined> {
    for (const place of files) {
      await giveWay(signal)
      const [file] = places.files({ size: place.size, blob: undefined, places: [place] })
      const hash = file && (await hashOf(file, signal))
      if (hash !== undefined) return hash
    }
    return undefined
  }

  /** Of a picture or lyrics; what is larger than is ever shown stays as it is. */
  async function readBeside(file: UnhashedBeside, signal: AbortSignal): Promise<Beside | undefined> {
    const root = places.root(file.library)
    if (file.known !== undefined || root === null) return file.known
    await giveWay(signal)
    const path = pathBytes(file.path)
    const found = await stat(Buffer.concat([root, '/', path].map((part) => Buffer.from(part)))).catch(
      () => null,
    )
    if (found === null || found.size === 0 || found.size > largestOf(file.path)) return undefined
    const { size } = found
    const blob = await hashOf({ root, path, size, modifiedAt: file.modifiedAt }, signal)
    return blob === undefined ? undefined : { blob, size }
  }

  /**
   * Reads what of one part of an album has not been read, and writes what came of it in one transaction. Answers how many
   * tracks it was.
   */
  async function hashPart(
    { tracks, beside }: Pick<UnhashedAlbum, 'tracks' | 'beside'>,
    signal: AbortSignal,
  ): Promise<number> {
    const read: Hashed = { tracks: new Map(), beside: new Map() }
    for (const file of beside) {
      const is = await readBeside(file, signal)
      if (is !== undefined) read.beside.set(keyOf(file), is)
    }
    for (const [track, files] of Map.groupBy(tracks, (file) => file.track)) {
      const hash = await hashTrack(files, signal)
      if (hash !== undefined) read.tracks.set(track, { hash, size: files[0]?.size ?? 0 })
    }
    const [first] = [...tracks, ...beside]
    if (!first || read.tracks.size + read.beside.size === 0) return 0
    const { revision } = await update(
      store,
      albumParts,
      partId(first.album, first.part),
      (part) => part && { ...part, tracks: part.tracks.map((track) => withHashes(track, read)) },
      signal,
    )
    await caughtUp(index, revision, signal)
    return read.tracks.size
  }

  return {
    async run(signal, remaining) {
      let done = 0
      const all = await queries.countUnhashed(signal)
      remaining(all)
      const here = (await listLibraries(store, signal)).filter(places.isHere).map(({ id }) => id)
      for (
        let album = await queries.unhashedAfter(0, here, signal);
        album;
        album = await queries.unhashedAfter(album.last, here, signal)
      ) {
        const { tracks, beside } = album
        for (const part of new Set([...tracks, ...beside].map((file) => file.part))) {
          const isOfPart = (file: Unhashed | UnhashedBeside) => file.part === part
          done += await hashPart({ tracks: tracks.filter(isOfPart), beside: beside.filter(isOfPart) }, signal)
          remaining(all - done)
        }
      }
      return done
    },
  }
}

/** What has been read of one part of an album: its tracks by id, what lies beside them by `keyOf`. */
interface Hashed {
  readonly tracks: Map<Id, { readonly hash: BlobHash; readonly size: number }>
  readonly beside: Map<string, Beside>
}

/** With the time, so that what was read of one picture is never said of the next one under its name. */
function keyOf({ library, path, modifiedAt }: Pick<FileBeside, 'library' | 'path' | 'modifiedAt'>): string {
  return `${library}/${path}/${modifiedAt}`
}

function withHashes(track: Track, read: Hashed): Track {
  const found = read.tracks.get(track.id)
  const files = track.files.map((file): File => {
    const { lyrics, cover } = besideOf(file)
    const lyricsRead = lyrics && read.beside.get(keyOf(lyrics))
    const coverRead = cover && read.beside.get(keyOf(cover))
    return { ...file, ...(lyricsRead && { lyrics: lyricsRead }), ...(coverRead && { cover: coverRead }) }
  })
  return { ...track, files, ...(found?.size === track.size && { blob: found.hash }) }
}

/** The largest file of its kind that is read at all, in bytes. */
function largestOf(path: string): number {
  return isLyricsName(path) ? largestLyrics : largestPicture
}
