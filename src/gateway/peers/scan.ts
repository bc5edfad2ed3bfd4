import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { scanStatus } from '../../protocol/api/catalog.ts'
import { scanQuestion } from '../../protocol/api/peers.ts'
import type { Scanning } from '../gateway.ts'
import type { PeerRoutes } from './server.ts'

/** Other gateways ask how far the scan here is, and for another one. */
export function peerScanRoutes(
  scanner: Pick<Scanning, 'status' | 'scan'>,
  log: FastifyBaseLogger,
): PeerRoutes {
  return (app) => {
    app.get('/scan', { schema: { response: { 200: scanStatus } } }, async () => scanner.status)
    app.post('/scan', { schema: { body: scanQuestion, response: { 200: scanStatus } } }, async ({ body }) => {
      // It goes on by itself; its status says how.
      scanner.scan(body).catch((error: unknown) => {
        const isEnding = error instanceof DOMException && error.name === 'AbortError'
        if (!isEnding) log.error({ err: error }, 'a scan failed')
      })
      // By then it has begun, unless another one has to end first.
      await nextTurn()
      return scanner.status
    })
  }
}
