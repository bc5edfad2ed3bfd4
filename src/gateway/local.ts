import type { FastifyRequest } from 'fastify'

/**
 * Whether the request was made on this machine, by someone who typed this machine's own name: the peer is loopback, no
 * proxy has forwarded it, and neither `Host` nor `Origin` names anything else. The last two keep out a page of another
 * site that has pointed its name at 127.0.0.1 (DNS rebinding).
 */
export function isLocal(request: FastifyRequest): boolean {
  const { headers } = request
  if (!isLoopbackAddress(request.raw.socket.remoteAddress)) return false
  if (forwardedHeaders.some((name) => headers[name] !== undefined)) return false
  if (!isLoopbackHost(headers.host)) return false
  const { origin } = headers
  return origin === undefined || (URL.canParse(origin) && isLoopbackHost(new URL(origin).host))
}

const forwardedHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address)
}

function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host)
}
