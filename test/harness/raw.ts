import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection on which a test may send what no client would. */
export async function openSocket(baseUrl: string): Promise<Socket> {
  const { port } = new URL(baseUrl)
  const socket = connect(Number(port), '127.0.0.1')
  // A refusal may reset the connection while we still send: what had arrived counts.
  socket.on('error', () => undefined)
  await once(socket, 'connect', { signal: AbortSignal.timeout(60_000) })
  return socket
}

/** Sends bytes as they are, and answers all that comes back until the connection ends. */
export async function exchange(baseUrl: string, request: string | Buffer): Promise<string> {
  const socket = await openSocket(baseUrl)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(request)
  if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(60_000) })
  return Buffer.concat(chunks).toString('latin1')
}

/** One request whose path is sent as it is written: `fetch` would resolve its dots. */
export function request(
  baseUrl: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { host } = new URL(baseUrl)
  const all = { host, connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return exchange(baseUrl, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}
