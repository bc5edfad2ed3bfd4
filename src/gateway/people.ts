import type { FastifyInstance } from 'fastify'
import { CodedError } from '../protocol/errors.ts'
import { hasBearer, presentedToken } from './authentication.ts'

/** What a node answers to everyone, whatever its roles. `/metrics` guards itself. */
export const health: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/**
 * On a node without the role `gateway`: its health is shown, and the command line of its machine served, for that is how
 * it is administered. Everyone else is told to ask a gateway.
 */
export function refusePeople(app: FastifyInstance, isOperator: (token: string) => boolean): void {
  app.addHook('onRequest', async (request) => {
    const token = hasBearer(request) ? presentedToken(request) : undefined
    const isAnswered =
      health.has(request.routeOptions.url ?? '') || (token !== undefined && isOperator(token))
    if (!isAnswered) throw new CodedError('ROLE_ELSEWHERE', 'gateway')
  })
}
