import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Web players that are served from elsewhere may use the API: it is proven by what the request itself carries, never by
 * a cookie, so that no other site gains anything by asking. The rest of the server stays closed to them.
 */
export function openToOtherSites(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'access-control-allow-origin': '*',
    'access-control-expose-headers':
      'Accept-Ranges, Content-Length, Content-Range, Content-Disposition, ETag',
    'cross-origin-resource-policy': 'cross-origin',
  })
}

const preflightSeconds = 24 * 3_600

export async function answerPreflight(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return openToOtherSites(reply)
    .headers({
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': '*, Authorization',
      'access-control-max-age': String(preflightSeconds),
    })
    .code(204)
    .send()
}
