import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Uploads } from '../../catalog/uploads/uploads.ts'
import { uploadHere } from '../../protocol/api/peers.ts'
import { uploadSummary } from '../../protocol/api/uploads.ts'
import { id } from '../../protocol/ids.ts'
import { takeOver } from '../media/answer.ts'
import type { PeerRoutes } from './server.ts'

/** Who uploads: the gateway that passes a request on has seen that it is them. */
export const uploaderHeader = 'hocket-uploader'
export const administratorHeader = 'hocket-administrator'

const byId = z.object({ id })
const passedOn = z.object({
  [uploaderHeader]: id,
  [administratorHeader]: z.enum(['0', '1']),
})

/** Uploads of other gateways: requests of the tus protocol as they came there, and what a gateway must find out. */
export function peerUploadRoutes(uploads: Pick<Uploads, 'handle' | 'has' | 'list'>): PeerRoutes {
  return (app) => {
    app.get(
      '/uploads/:id',
      { schema: { params: byId, response: { 200: uploadHere } } },
      async ({ params }) => ({ here: uploads.has(params.id) }),
    )
    app.get(
      '/uploads',
      { schema: { querystring: z.object({ user: id }), response: { 200: z.array(uploadSummary) } } },
      ({ query }) => uploads.list(query.user),
    )
    app.register(async (scope) => {
      // The bytes are read by the role itself, as they arrive.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
      scope.route({
        method: ['POST', 'OPTIONS'],
        url: '/api/uploads',
        config: { slowBody: true },
        handler: handle,
      })
      scope.route({
        method: ['HEAD', 'PATCH', 'DELETE'],
        url: '/api/uploads/:id',
        config: { slowBody: true },
        handler: handle,
      })
    })
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const who = passedOn.parse(request.headers)
    const viewer = { user: who[uploaderHeader], administrator: who[administratorHeader] === '1' }
    const { status, headers, body } = await uploads.handle(request.raw, viewer)
    takeOver(reply).writeHead(status, headers).end(body)
  }
}
