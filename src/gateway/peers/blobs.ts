import type { FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Blobs, Reader } from '../../blobs/blobs.ts'
import { type Courtesy, forListener } from '../../blobs/copies/courtesy.ts'
import type { HeldCopies } from '../../blobs/copies/held.ts'
import { purposeHeader } from '../../blobs/copies/reading.ts'
import { blobSize, type blobVouch } from '../../blobs/copies/remote.ts'
import { readWatched, watch } from '../../blobs/copies/watchdog.ts'
import type { ByteRange, Representation } from '../../media/serve/representation.ts'
import { type BlobHash, blobHash } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { sendBytes, takeOver } from '../media/answer.ts'
import { goneSignalOf } from '../signal.ts'
import type { PeerRoutes } from './server.ts'

export interface PeerBlobs {
  readonly blobs: Pick<Blobs, 'put'>
  readonly held: HeldCopies
  readonly courtesy: Courtesy
}

const byHash = z.object({ hash: blobHash })
const sending = z.object({ 'content-length': z.coerce.number().int().nonnegative() })
/** How often a node that reads a copy whole says that it is still at it, in milliseconds. */
const signOfLifeMs = 1_000
/** How long the sender of a blob may owe the next piece, in milliseconds. */
const patienceMs = 15_000

/** What other nodes ask of the bytes here. Who asks was checked before: they are nodes of this cluster. */
export function peerBlobRoutes({ blobs, held, courtesy }: PeerBlobs): PeerRoutes {
  function represent(hash: BlobHash, copy: Reader, isBackground: boolean): Representation {
    return {
      size: copy.size,
      etag: `"${hash}"`,
      mediaType: 'application/octet-stream',
      open: (range, signal) =>
        isBackground
          ? inTurn(copy, range, courtesy, signal)
          : forListener(copy.chunks(range, signal), courtesy),
      isBulk: isBackground,
      [Symbol.dispose]: () => copy[Symbol.dispose](),
    }
  }

  return (app: Api) => {
    app.get(
      '/blobs/:hash/size',
      { schema: { params: byHash, response: { 200: blobSize } } },
      async (request, reply) => ({ size: await held.size(request.params.hash, goneSignalOf(reply)) }),
    )

    app.get('/blobs/:hash', { schema: { params: byHash } }, async (request, reply) => {
      const { hash } = request.params
      const copy = await held.open(hash, goneSignalOf(reply))
      const isBackground = request.headers[purposeHeader] === 'copy'
      await sendBytes(request, reply, represent(hash, copy, isBackground), {})
    })

    app.post('/blobs/:hash/vouch', { schema: { params: byHash } }, async (request, reply) => {
      const vouch = async (signal: AbortSignal): Promise<z.infer<typeof blobVouch>> => ({
        sound: await held.vouch(request.params.hash, signal),
      })
      await answerInTime(reply, vouch)
    })

    app.register(async (scope) => {
      // The bytes are read as they arrive.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
      scope
        .withTypeProvider<ZodTypeProvider>()
        .put('/blobs/:hash', { schema: { params: byHash, headers: sending } }, async (request, reply) => {
          const { raw, params, headers } = request
          using dog = watch('the bytes of a blob', patienceMs)
          const size = headers['content-length']
          await blobs.put(readWatched(raw, dog), { expected: params.hash, size, signal: dog.signal })
          return reply.code(204).send()
        })
    })
  }
}

/** For another node's repair: listeners here come first. */
async function* inTurn(
  copy: Reader,
  range: ByteRange,
  courtesy: Courtesy,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of copy.scan(range, signal)) {
    await courtesy.turn(bytes.length, signal)
    yield bytes
  }
}

/** Answers with JSON, however long that takes: until then white space tells that this node is at work. */
async function answerInTime(
  reply: FastifyReply,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const signal = goneSignalOf(reply)
  const response = takeOver(reply)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const alive = setInterval(() => response.write(' '), signOfLifeMs)
  try {
    response.end(JSON.stringify(await work(signal)))
  } catch {
    // The answer has begun: a cut connection says that there is none.
    response.destroy()
  } finally {
    clearInterval(alive)
  }
}
