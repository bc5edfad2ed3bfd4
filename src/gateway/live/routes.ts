import websocket from '@fastify/websocket'
import { z } from 'zod'
import { CodedError } from '../../protocol/errors.ts'
import type { Api } from '../api.ts'
import { presentedToken } from '../authentication.ts'
import type { Hub } from './hub.ts'

/** A page only listens, so what it may send is next to nothing. */
const mostPayload = 1_024
/** Pages that may listen at the same time: each costs memory and a look at every change. */
const mostConnections = 2_000
const path = '/api/live'

/**
 * Lets requests become WebSockets, once all hooks have let them pass. To be called before those hooks are added: the
 * plugin closes the sockets of refused requests only where its own hook has seen them.
 */
export async function acceptWebSockets(app: Api, hub: Hub): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: mostPayload, perMessageDeflate: false },
    errorHandler: (_error, socket) => socket.terminate(),
    preClose(done) {
      hub[Symbol.dispose]()
      this.websocketServer.close()
      done()
    },
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const refused = request.ws && request.routeOptions.url !== path
    done(refused ? new CodedError('NOT_FOUND', `WebSockets are at ${path}`) : undefined)
  })
}

/** `/api/live`: tells pages what has changed. Only our own pages and programs may connect (see `csrf.ts`). */
export function liveRoutes(app: Api, hub: Hub): void {
  app.get(
    path,
    {
      websocket: true,
      config: { takesPass: true },
      schema: {
        operationId: 'listen',
        summary: 'A WebSocket that tells what has changed',
        description: 'Each message is a LiveMessage in JSON. It is closed with 4401 when the session ends.',
        tag: 'Listening',
        response: { 101: z.undefined().describe('The WebSocket') },
      },
      preValidation: async () => {
        if (hub.size >= mostConnections) {
          throw new CodedError('TOO_MANY_REQUESTS', 'too many pages are listening')
        }
      },
    },
    (socket, request) => {
      const token = presentedToken(request)
      if (token === undefined) socket.close()
      else hub.join(socket, token)
    },
  )
}
