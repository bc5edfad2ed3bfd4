import { z } from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Outbox } from '../../outbox/outbox.ts'
import {
  connectionInput,
  connectionList,
  connectionMade,
  connectionView,
  playingInput,
  serviceInput,
  serviceView,
} from '../../protocol/api/outbox.ts'
import { CodedError } from '../../protocol/errors.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { signedInAs } from '../authentication.ts'
import { written } from '../freshness.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

interface Parts {
  readonly outbox: Outbox
  readonly catalog: Pick<Catalog, 'track' | 'nameOf'>
}

const byId = z.object({ id })

/** Services and addresses outside to which an account's plays are delivered. */
export function connectionRoutes(app: Api, { outbox, catalog }: Parts): void {
  const tag = 'Connections'

  app.get(
    '/api/connections',
    {
      schema: {
        operationId: 'listConnections',
        summary: 'Where the plays of this account are delivered, and how that goes',
        tag,
        response: ok(connectionList, 'The connections, the oldest first'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const { user } = signedInAs(request)
      const [items, service] = await Promise.all([
        outbox.connections(user.id, signal),
        outbox.service(signal),
      ])
      if (service === null) return { items: [...items] }
      const authorize = new URL(service.authorizeUrl)
      authorize.searchParams.set('api_key', service.apiKey)
      return { items: [...items], lastfm: { authorizeUrl: authorize.href } }
    },
  )

  app.post(
    '/api/connections',
    {
      schema: {
        operationId: 'createConnection',
        summary: 'Connect ListenBrainz, Last.fm or a webhook',
        description:
          'The service is asked first. A connection that is there for the same account gets the new token, and goes on with what waits.',
        tag,
        body: connectionInput,
        response: made(connectionMade, 'The connection; the secret of a webhook is shown this once'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(reply.code(201), await outbox.connect(user.id, request.body, signalOf(reply)))
    },
  )

  app.post(
    '/api/connections/:id/test',
    {
      schema: {
        operationId: 'testConnection',
        summary: 'Ask the service now, and try at once what waits',
        description: 'A webhook is sent an event of the type `test`.',
        tag,
        params: byId,
        response: ok(connectionView, 'It works; the connection as it is now'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(reply, await outbox.check(user.id, request.params.id, signalOf(reply)))
    },
  )

  app.delete(
    '/api/connections/:id',
    {
      schema: {
        operationId: 'deleteConnection',
        summary: 'Disconnect; what has not been delivered is not delivered any more',
        tag,
        params: byId,
        response: done('Disconnected'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(reply.code(204), await outbox.disconnect(user.id, request.params.id, signalOf(reply)))
    },
  )

  app.post(
    '/api/playing',
    {
      schema: {
        operationId: 'reportPlaying',
        summary: 'Say which track is being played now',
        description: 'Connected services show it. It is no play: report that when enough was heard.',
        tag,
        changesNothing: true,
        body: playingInput,
        response: done('Heard'),
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request)
      const { track } = request.body
      // NOT_FOUND where this account cannot see it.
      catalog.nameOf(viewer, 'track', track)
      outbox.playing(viewer.user, track, (signal) => catalog.track(viewer, track, signal))
      reply.code(204)
    },
  )
}

/** How this server is known to Last.fm, for administrators. */
export function serviceRoutes(app: Api, { outbox }: Parts): void {
  const tag = 'Administration'
  const config = { administrator: true }
  const path = '/api/services/lastfm'

  app.get(
    path,
    {
      config,
      schema: {
        operationId: 'readLastfm',
        summary: 'How this server is known to Last.fm',
        tag,
        response: ok(serviceView, 'The settings, without the secret'),
      },
    },
    async (_request, reply) => {
      const settings = await outbox.service(signalOf(reply))
      if (settings === null) throw new CodedError('SERVICE_NOT_SET_UP')
      return settings
    },
  )

  app.put(
    path,
    {
      config,
      schema: {
        operationId: 'setLastfm',
        summary: 'Let the accounts of this server scrobble to Last.fm, or to what speaks as it does',
        tag,
        body: serviceInput,
        response: ok(serviceView, 'The settings as they are now'),
      },
    },
    async (request, reply) => written(reply, await outbox.setService(request.body, signalOf(reply))),
  )

  app.delete(
    path,
    {
      config,
      schema: {
        operationId: 'deleteLastfm',
        summary: 'Scrobble to Last.fm no more; what waits is kept for a while',
        tag,
        response: done('It is so'),
      },
    },
    async (_request, reply) => written(reply.code(204), await outbox.removeService(signalOf(reply))),
  )
}
