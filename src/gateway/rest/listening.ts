import type { Listening } from '../../listening/listening.ts'
import { itemMark } from '../../protocol/api/catalog.ts'
import {
  markInput,
  markPath,
  playInput,
  playKept,
  queueInput,
  queueView,
} from '../../protocol/api/listening.ts'
import type { Api } from '../api.ts'
import { clientOf } from '../authentication.ts'
import { written } from '../freshness.ts'
import { json, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

const tag = 'Listening'

/** Stars, ratings, plays, and the queue that follows a person from device to device. */
export function listeningRoutes(app: Api, { listening }: { readonly listening: Listening }): void {
  app.put(
    '/api/marks/:kind/:id',
    {
      schema: {
        operationId: 'mark',
        summary: 'Star or rate a track, album or artist',
        tag,
        params: markPath,
        body: markInput,
        response: ok(itemMark, 'What this account says of it now'),
      },
    },
    async (request, reply) => {
      const { kind, id } = request.params
      return written(reply, await listening.mark(viewerOf(request), kind, id, request.body, signalOf(reply)))
    },
  )

  app.post(
    '/api/plays',
    {
      schema: {
        operationId: 'reportPlay',
        summary: 'Report that a track has been played',
        description:
          'After half of it or four minutes. A repeated report with the same `play` counts once. With 202 it is kept and counts later.',
        tag,
        body: playInput,
        response: {
          ...ok(itemMark, 'What this account says of the track now'),
          202: json(
            playKept,
            'The store is away: the play is kept on this node, and counted when it is back',
          ),
        },
      },
    },
    async (request, reply) => {
      const { kept, ...played } = await listening.play(viewerOf(request), request.body, signalOf(reply))
      if (!kept) return written(reply, played)
      reply.code(202)
      return { kept, mark: played.value }
    },
  )

  app.get(
    '/api/queue',
    {
      schema: {
        operationId: 'readQueue',
        summary: 'The queue of this account',
        tag,
        response: ok(queueView, 'The queue'),
      },
    },
    (request, reply) => listening.queue(viewerOf(request), signalOf(reply)),
  )

  app.put(
    '/api/queue',
    {
      schema: {
        operationId: 'saveQueue',
        summary: 'Save the queue, so that another device can go on with it',
        tag,
        body: queueInput,
        response: ok(queueView, 'The queue as it is now'),
      },
    },
    async (request, reply) =>
      written(
        reply,
        await listening.saveQueue(viewerOf(request), request.body, clientOf(request), signalOf(reply)),
      ),
  )
}
