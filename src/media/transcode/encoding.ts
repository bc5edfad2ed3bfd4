import { CodedError } from '../../protocol/errors.ts'
import type { Production } from '../serve/representation.ts'
import { formatSettings } from './formats.ts'
import type { AudioSource, Rendition, Transcoder } from './transcoder.ts'
import type { MediaWorkers } from './workers.ts'

/** The transcoder that encodes, in a child process, as fast as the listener takes it. */
export function createEncodingTranscoder(workers: MediaWorkers): Transcoder {
  return {
    async transcode(source, rendition, signal) {
      assertWithin(source, rendition)
      const stop = new AbortController()
      const run = workers.run(
        { kind: 'encode', path: source.path, ...rendition },
        AbortSignal.any([signal, stop.signal]),
      )
      const chunks = run[Symbol.asyncIterator]()
      const first = await chunks.next()
      const mediaType = formatSettings[rendition.format].mediaType
      return {
        mediaType,
        durationMs: Math.max(0, source.durationMs - rendition.offsetMs),
        bytes: resume(first, chunks),
        [Symbol.dispose]: () => stop.abort(new Error('nobody listens any more')),
      } satisfies Production
    },
  }
}

/** Where the track's length is known, a start behind its end has nothing to give. */
function assertWithin(source: AudioSource, rendition: Rendition): void {
  if (rendition.offsetMs === 0 || source.durationMs === 0 || rendition.offsetMs < source.durationMs) return
  throw new CodedError('RANGE_NOT_SATISFIABLE', `the track lasts ${source.durationMs} ms`)
}

async function* resume(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let step = first; !step.done; step = await rest.next()) yield step.value
  } finally {
    await rest.return?.()
  }
}
