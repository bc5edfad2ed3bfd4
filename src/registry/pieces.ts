import type { Readable } from 'node:stream'

/** So much waits for its reader before the stream is told to pause. */
const mostWaiting = 64 * 1_024

/**
 * The pieces of a stream as they come. Node's own iterator puts those that wait together in a new buffer each time, and
 * memory of buffers is what makes V8 collect garbage: much of the processor where whole blobs pass.
 */
export async function* piecesOf(stream: Readable): AsyncGenerator<Uint8Array, undefined> {
  let pieces: Uint8Array[] = []
  let waiting = 0
  let ended = false
  let wake = Promise.withResolvers<void>()
  stream.on('data', (piece: Uint8Array) => {
    pieces.push(piece)
    waiting += piece.length
    if (waiting >= mostWaiting) stream.pause()
    wake.resolve()
  })
  for (const event of ['error', 'end', 'close']) {
    stream.on(event, () => {
      ended = true
      wake.resolve()
    })
  }
  for (;;) {
    if (pieces.length === 0) {
      if (stream.errored !== null) throw stream.errored
      if (ended || stream.destroyed) return
      wake = Promise.withResolvers()
      if (stream.isPaused()) stream.resume()
      await wake.promise
    }
    const come = pieces
    pieces = []
    waiting = 0
    yield* come
  }
}
