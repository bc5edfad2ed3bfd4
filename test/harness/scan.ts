import { type ScanStatus, scanStatus } from '../../src/protocol/api/catalog.ts'
import type { Client } from './client.ts'
import { waitFor } from './wait.ts'

/** Waits until the first scan after the start, or the one that was asked for, is done. Hashing may go on. */
export async function scanned(client: Client): Promise<ScanStatus> {
  return await waitFor(
    async () => {
      const status = scanStatus.parse((await client.get('/api/scan')).body)
      const done = status.phase === 'idle' || status.phase === 'hashing'
      return done && status.finishedAt !== undefined ? status : undefined
    },
    { what: 'the scan to end', deadline: 120_000 },
  )
}

/** Asks for a scan, and waits for the end of it and of those before it. */
export async function rescan(client: Client, request: { readonly full?: boolean } = {}): Promise<ScanStatus> {
  const answer = await client.call('POST', '/api/scan', request)
  if (answer.status !== 202) throw new Error(`asking for a scan answered ${answer.status}`)
  return await scanned(client)
}
