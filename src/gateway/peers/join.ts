import { addressGroup, createThrottle } from '../../accounts/throttle.ts'
import { joinAnswer, joinRequest } from '../../protocol/api/peers.ts'
import { admit, type Host } from '../../registry/trust/admission.ts'
import { joinPath } from '../../registry/trust/join.ts'
import { signalOf } from '../signal.ts'
import type { PeerRoutes } from './server.ts'

/** A request is a node's description and a PKCS #10 request. */
const bodyLimit = 10_000

/** The one route for who is no node yet: a join token, used up here, is what it asks for. */
export function joinRoute(host: Host): PeerRoutes {
  // The secret cannot be guessed; this spares the store and the processor.
  const attempts = createThrottle({ free: 10, longestWait: 60 }, Date.now)

  return (app) => {
    app.post(
      joinPath,
      { config: { anyone: true }, bodyLimit, schema: { body: joinRequest, response: { 200: joinAnswer } } },
      async (request, reply) => {
        const from = addressGroup(request.ip)
        attempts.attempt(from)
        const answer = await admit(host, request.body, signalOf(reply))
        attempts.succeeded(from)
        request.log.info({ node: request.body.id, name: request.body.name }, 'a node has joined')
        return answer
      },
    )
  }
}
