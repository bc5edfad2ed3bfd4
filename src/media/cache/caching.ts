import { CodedError } from '../../protocol/errors.ts'
import { orAborted } from '../shared.ts'
import { formatSettings, outputBitrate } from '../transcode/formats.ts'
import type { AudioSource, Rendition, Transcoder } from '../transcode/transcoder.ts'
import type { DiskCache } from './disk-cache.ts'
import { type Run, startRun } from './run.ts'

/** Changed whenever the same request would give other bytes, so that old results are not taken for new ones. */
const recipe = '1'

/**
 * Keeps what `next` makes. A run goes as fast as the machine allows, into a file, and its listeners follow behind it,
 * each at their own pace: a slow one holds no encoder. Who asks for what is being made already joins that run. A run
 * that begins at an offset goes the same way, but its result is not kept.
 */
export function createCachingTranscoder(next: Transcoder, cache: DiskCache): Transcoder & AsyncDisposable {
  const runs = new Map<string, Run>()
  const unfinished = new Set<Run>()
  const closing = new AbortController()

  function runOf(key: string, source: AudioSource, rendition: Rendition): Run {
    const running = runs.get(key)
    if (running !== undefined) return running
    const forget = (): void => {
      if (runs.get(key) === run) runs.delete(key)
    }
    const run = startRun({
      produce: (signal) => next.transcode(source, rendition, AbortSignal.any([signal, closing.signal])),
      draft: () => cache.create(key, formatSettings[rendition.format].suffix),
      keep: rendition.offsetMs === 0,
      abandoned: forget,
    })
    runs.set(key, run)
    unfinished.add(run)
    void run.finished.then(() => {
      forget()
      unfinished.delete(run)
    })
    return run
  }

  return {
    async transcode(source, rendition, signal) {
      signal.throwIfAborted()
      const { mediaType } = formatSettings[rendition.format]
      const key = keyOf(source, rendition)
      const kept = rendition.offsetMs === 0 ? await cache.get(key) : null
      if (kept !== null) return { ...kept, mediaType }
      const run = runOf(key, source, rendition)
      const listener = run.join()
      try {
        await orAborted(run.started, signal)
      } catch (error) {
        listener[Symbol.dispose]()
        throw error
      }
      const durationMs = Math.max(0, source.durationMs - rendition.offsetMs)
      return { mediaType, durationMs, ...listener }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new CodedError('UNREACHABLE', 'the server is stopping'))
      await Promise.all([...unfinished].map((run) => run.finished))
    },
  }
}

function keyOf(source: AudioSource, { format, bitrateKbps, offsetMs }: Rendition): string {
  return [recipe, source.version, format, outputBitrate(format, bitrateKbps), offsetMs].join('/')
}
