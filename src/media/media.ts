import { join } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'
import { createCachingTranscoder } from './cache/caching.ts'
import { openDiskCache } from './cache/disk-cache.ts'
import type { Cover, CoverProblem, CoverRequest } from './covers/cover.ts'
import { createCovers } from './covers/covers.ts'
import { createPictureWorker } from './covers/picture-worker.ts'
import { createEncodingTranscoder } from './transcode/encoding.ts'
import { createOriginalTranscoder } from './transcode/original.ts'
import type { Transcoder } from './transcode/transcoder.ts'
import { createMediaWorkers, type MediaWorkers } from './transcode/workers.ts'

/** The media role: audio as listeners want it, and a picture for everything. `createMedia` makes it. */
export interface Media extends Transcoder, AsyncDisposable {
  /**
   * A picture for anything, never larger than `size` asks, always there: where no picture can be read it is a drawn
   * placeholder, and the reason goes to `MediaOptions.report`. Rejects only with the signal's reason or INTERNAL.
   */
  cover(request: CoverRequest, signal: AbortSignal): Promise<Cover>
  /**
   * What FFmpeg says the file is; for files of which the tag library cannot tell. Throws MEDIA_UNREADABLE where no
   * audio stream is found, TRANSCODER_CRASHED or TRANSCODER_BUSY.
   */
  probe(path: string | Buffer, signal: AbortSignal): Promise<Probe>
  status(): MediaStatus
}

export interface MediaOptions {
  /** `data/cache`: made where missing; `audio/` and `covers/` in it are ours and may be deleted at any time. */
  readonly cacheFolder: string
  readonly audioCacheBytes: number
  readonly coverCacheBytes: number
  /** Told of each picture that could not be read, at most once in the life of the process for each version. */
  readonly report: (problem: CoverProblem) => void
}

const probe = z.object({
  /** FFmpeg's names. */
  codec: z.string().max(60),
  container: z.string().max(100),
  durationMs: z.int().nonnegative(),
  /** kbit/s */
  bitrate: z.int().nonnegative(),
  sampleRate: z.int().nonnegative(),
  channels: z.int().nonnegative(),
  bitDepth: z.int().nonnegative().optional(),
})
export type Probe = z.infer<typeof probe>

export interface MediaStatus {
  readonly transcodes: { readonly running: number; readonly waiting: number }
  readonly audioCache: { readonly bytes: number; readonly entries: number; readonly budget: number }
  readonly coverCache: { readonly bytes: number; readonly entries: number; readonly budget: number }
}

/** Starts nothing yet: child processes come with the first request for them, and the caches list their folders. */
export function createMedia(options: MediaOptions): Media {
  const workers = createMediaWorkers()
  const audioCache = openDiskCache(join(options.cacheFolder, 'audio'), options.audioCacheBytes)
  const coverCache = openDiskCache(join(options.cacheFolder, 'covers'), options.coverCacheBytes)
  const pictures = createPictureWorker()
  const caching = createCachingTranscoder(createEncodingTranscoder(workers), audioCache)
  const covers = createCovers(pictures, coverCache, options.report)
  return {
    transcode: createOriginalTranscoder(caching).transcode,
    cover: covers.cover,
    probe: (path, signal) => probeWith(workers, path, signal),
    status: () => ({
      transcodes: workers.status(),
      audioCache: audioCache.status(),
      coverCache: coverCache.status(),
    }),
    async [Symbol.asyncDispose]() {
      await caching[Symbol.asyncDispose]()
      await Promise.all([workers, pictures].map((part) => part[Symbol.asyncDispose]()))
      await Promise.all([audioCache, coverCache].map((part) => part[Symbol.asyncDispose]()))
    },
  }
}

async function probeWith(workers: MediaWorkers, path: string | Buffer, signal: AbortSignal): Promise<Probe> {
  const chunks: Uint8Array[] = []
  for await (const chunk of workers.run({ kind: 'probe', path }, signal)) chunks.push(chunk)
  try {
    return probe.parse(JSON.parse(Buffer.concat(chunks).toString()))
  } catch (cause) {
    throw new CodedError('TRANSCODER_CRASHED', 'its answer makes no sense', { cause })
  }
}
