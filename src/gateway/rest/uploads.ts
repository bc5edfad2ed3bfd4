import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Uploads } from '../../catalog/uploads/uploads.ts'
import type { Withdraw } from '../../catalog/uploads/withdraw.ts'
import type { Index } from '../../index/index.ts'
import { uploadResult, uploadSummary } from '../../protocol/api/uploads.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { signedInAs } from '../authentication.ts'
import { written } from '../freshness.ts'
import { takeOver } from '../media/answer.ts'
import { done, json, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

const tag = 'Uploads'
const byId = z.object({ id })
/** A body may take as long as the line needs: the uploads role sees to stalled ones. */
const config = { slowBody: true }

interface Parts {
  readonly uploads: Pick<Uploads, 'handle' | 'list'>
  readonly withdraw: Withdraw
  readonly index: Pick<Index, 'waitFor'>
}

/** Resumable uploads: the edge checks who asks, the protocol itself is the uploads role's. */
export function uploadRoutes(app: Api, { uploads, withdraw, index }: Parts): void {
  app.get(
    '/api/uploads',
    {
      schema: {
        operationId: 'listUploads',
        summary: 'The uploads of this account, newest first',
        tag,
        response: ok(z.object({ items: z.array(uploadSummary) }), 'The uploads'),
      },
    },
    async (request) => ({ items: await uploads.list(signedInAs(request).user.id) }),
  )

  app.delete(
    '/api/tracks/:id',
    {
      schema: {
        operationId: 'withdrawTrack',
        summary: 'Take back a track that was uploaded; its owner may, and administrators',
        description: 'A copy of it in a music folder stays, and with it the track.',
        tag,
        params: byId,
        response: done('Taken back'),
      },
    },
    async (request, reply) => {
      const revision = await withdraw(viewerOf(request), request.params.id, signalOf(reply))
      await index.waitFor(revision, signalOf(reply))
      return written(reply.code(204), { value: undefined, revision })
    },
  )

  app.register(async (scope) => {
    // The bytes are read by the role itself, as they arrive.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
    const routes = scope.withTypeProvider<ZodTypeProvider>()

    routes.post(
      '/api/uploads',
      {
        config,
        schema: {
          operationId: 'createUpload',
          summary: 'Begin an upload (tus creation); its address is in Location',
          changesNothing: true,
          tag,
          response: { 201: json(uploadResult, 'Begun; the body is there only where all bytes came along') },
        },
      },
      (request, reply) => handle(request, reply),
    )
    routes.head('/api/uploads/:id', { config, schema: { params: byId } }, (request, reply) =>
      handle(request, reply),
    )
    routes.patch(
      '/api/uploads/:id',
      {
        config,
        schema: {
          operationId: 'continueUpload',
          summary: 'Send more bytes of an upload (tus), from the offset that HEAD tells',
          changesNothing: true,
          tag,
          params: byId,
          response: {
            200: json(uploadResult, 'That was the last byte'),
            204: z.undefined().describe('Received'),
          },
        },
      },
      (request, reply) => handle(request, reply),
    )
    routes.delete(
      '/api/uploads/:id',
      {
        config,
        schema: {
          operationId: 'deleteUpload',
          summary: 'Give up an upload (tus termination)',
          changesNothing: true,
          tag,
          params: byId,
          response: done('Given up'),
        },
      },
      (request, reply) => handle(request, reply),
    )
    routes.options('/api/uploads', { config }, (request, reply) => handle(request, reply))
  })

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { status, headers, body } = await uploads.handle(request.raw, viewerOf(request))
    takeOver(reply).writeHead(status, headers).end(body)
  }
}
