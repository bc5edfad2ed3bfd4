import { setTimeout as pause } from 'node:timers/promises'
import type { InPlace } from '../../blobs/blobs.ts'
import type { Index } from '../../index/index.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { update } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import { albumParts, partId } from '../facts.ts'
import type { Places } from '../places.ts'
import { caughtUp } from './caught-up.ts'
import type { Unhashed } from './hashing-queries.ts'

export interface HashingOptions {
  readonly store: Store
  readonly index: Index
  readonly places: Pick<Places, 'files'>
  readonly inPlace: Pick<InPlace, 'hash' | 'verify'>
  /** While a scan runs, the disk is its own. */
  readonly isScanning: () => boolean
  /** While somebody listens, reading whole files waits for them, though not for ever. */
  readonly isHeard: () => boolean
  readonly bytesPerSecond: number
}

/** Reads the files of music folders whole, one after another and at leisure, so that their tracks get a blob's name. */
export interface Hashing {
  /** Goes through all that is not hashed, once; tells how many tracks remain. Resolves with how many have been hashed. */
  run(signal: AbortSignal, remaining: (tracks: number) => void): Promise<number>
}

/** How long to wait before looking again whether others need the disk. */
const politenessMs = 1_000
/** How long each file waits for listeners: where somebody listens day and night, all files shall be read all the same. */
const patienceMs = 10_000

export function createHashing(options: HashingOptions): Hashing {
  const { store, index, inPlace, isScanning, isHeard, bytesPerSecond } = options
  const queries = index.reader<typeof import('./hashing-queries.ts')>(
    new URL('./hashing-queries.ts', import.meta.url),
  )

  async function giveWay(signal: AbortSignal): Promise<void> {
    const end = performance.now() + patienceMs
    while (isScanning() || (isHeard() && performance.now() < end)) {
      await pause(politenessMs, undefined, { signal, ref: false })
    }
  }

  async function hashOf(places: readonly Unhashed[], signal: AbortSignal): Promise<BlobHash | undefined> {
    for (const place of places) {
      await giveWay(signal)
      const [file] = options.places.files({ size: place.size, blob: undefined, places: [place] })
      if (!file) continue
      try {
        return await inPlace.hash(file, { bytesPerSecond, signal })
      } catch (error) {
        // It has changed, gone, or cannot be read: the next scan sees to it.
        if (!(error instanceof CodedError)) throw error
      }
    }
    return undefined
  }

  /** Hashes the tracks of one part of an album, and writes what came of it in one transaction. */
  async function hashPart(files: readonly Unhashed[], signal: AbortSignal): Promise<number> {
    const hashes = new Map<Id, { hash: BlobHash; size: number }>()
    for (const [track, places] of Map.groupBy(files, (file) => file.track)) {
      const hash = await hashOf(places, signal)
      if (hash !== undefined) hashes.set(track, { hash, size: places[0]?.size ?? 0 })
    }
    const [first] = files
    if (!first || hashes.size === 0) return 0
    const { revision } = await update(
      store,
      albumParts,
      partId(first.album, first.part),
      (part) => {
        if (part === null) return null
        const tracks = part.tracks.map((track) => {
          const found = hashes.get(track.id)
          return found?.size === track.size ? { ...track, blob: found.hash } : track
        })
        return { ...part, tracks }
      },
      signal,
    )
    await caughtUp(index, revision, signal)
    return hashes.size
  }

  return {
    async run(signal, remaining) {
      let done = 0
      const all = await queries.countUnhashed(signal)
      remaining(all)
      for (
        let page = await queries.unhashedAfter(0, signal);
        page;
        page = await queries.unhashedAfter(page.last, signal)
      ) {
        for (const files of Map.groupBy(page.files, (file) => file.part).values()) {
          done += await hashPart(files, signal)
          remaining(all - done)
        }
      }
      return done
    },
  }
}
