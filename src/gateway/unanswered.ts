import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { CodedError } from '../protocol/errors.ts'

/**
 * What no route answers: METHOD_NOT_ALLOWED with an `Allow` header where there are routes at that path, else NOT_FOUND.
 * `routes` may still grow; they are looked at when the first such request comes.
 */
export function refuseUnanswered(app: FastifyInstance, routes: readonly RouteOptions[]): void {
  let paths: readonly KnownPath[] | undefined
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    paths ??= knownPaths(routes)
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = paths.find(({ pattern }) => pattern.test(path))?.methods ?? []
    // The player's route takes any path, and hands on here what it does not know.
    if (allowed.length === 0 || allowed.includes(request.method)) {
      throw new CodedError('NOT_FOUND', 'no route of this server answers to that path')
    }
    reply.header('allow', allowed.join(', '))
    throw new CodedError('METHOD_NOT_ALLOWED', `${request.method}; there are ${allowed.join(', ')}`)
  })
}

interface KnownPath {
  readonly pattern: RegExp
  readonly methods: readonly string[]
}

/** The exact paths first, then those with parameters, then those that end in anything. */
function knownPaths(routes: readonly RouteOptions[]): KnownPath[] {
  const groups = [...Map.groupBy(routes, ({ url }) => url)]
  const rank = (url: string) => (url.includes('*') ? 2 : url.includes(':') ? 1 : 0)
  return groups
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([url, group]) => ({
      pattern: patternOf(url),
      methods: [...new Set(group.flatMap(({ method }) => method))].sort(),
    }))
}

function patternOf(url: string): RegExp {
  // The player's pages are everything that is not an interface for programs.
  if (url === '/*') return /^\/(?!(?:api|rest)(?:\/|$))/
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('/')}$`)
}
