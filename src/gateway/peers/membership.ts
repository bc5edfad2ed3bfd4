import { z } from 'zod'
import type { PeerRoutes } from './server.ts'

/** Where a node asks whether it still belongs to the cluster. */
export const membershipPath = '/membership'

/** Says yes: who does not belong is refused before it comes this far, with NODE_REMOVED where that is why. */
export const membershipRoute: PeerRoutes = (app) => {
  app.get(membershipPath, { schema: { response: { 204: z.undefined() } } }, (_request, reply) =>
    reply.code(204).send(),
  )
}
