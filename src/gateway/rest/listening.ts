import type { Viewer } from '../../catalog/catalog.ts'
import type { Listening, QueueView } from '../../listening/listening.ts'
import type { Podcasts } from '../../podcasts/podcasts.ts'
import { itemMark } from '../../protocol/api/catalog.ts'
import {
  markInput,
  markPath,
  playInput,
  playKept,
  queueInput,
  queueShown,
} from '../../protocol/api/listening.ts'
import type { Api } from '../api.ts'
import { clientOf } from '../authentication.ts'
import { written } from '../freshness.ts'
import { json, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'
import { placesOf, summaryOfEpisode } from './podcast-views.ts'

interface Parts {
  readonly listening: Listening
  readonly podcasts: Pick<Podcasts, 'episode'>
}

const tag = 'Listening'

/** Stars, ratings, plays, and the queue that follows a person from device to device. */
export function listeningRoutes(app: Api, { listening, podcasts }: Parts): void {
  /** With the episodes in it, which the catalog does not know. */
  async function shown(viewer: Viewer, queue: QueueView, signal: AbortSignal) {
    const unknown = new Set(queue.tracks.filter((_, at) => (queue.items[at] ?? null) === null))
    const found = [...unknown].flatMap((track) => podcasts.episode(track) ?? [])
    const places = found.length === 0 ? undefined : await placesOf(listening, viewer, signal)
    return { ...queue, episodes: found.map((each) => summaryOfEpisode(each, places?.get(each.id))) }
  }

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
        response: ok(queueShown, 'The queue'),
      },
    },
    async (request, reply) => {
      const [viewer, signal] = [viewerOf(request), signalOf(reply)]
      return shown(viewer, await listening.queue(viewer, signal), signal)
    },
  )

  app.put(
    '/api/queue',
    {
      schema: {
        operationId: 'saveQueue',
        summary: 'Save the queue, so that another device can go on with it',
        tag,
        body: queueInput,
        response: ok(queueShown, 'The queue as it is now'),
      },
    },
    async (request, reply) => {
      const [viewer, signal] = [viewerOf(request), signalOf(reply)]
      const { value, revision } = await listening.saveQueue(viewer, request.body, clientOf(request), signal)
      return written(reply, { value: await shown(viewer, value, signal), revision })
    },
  )
}
