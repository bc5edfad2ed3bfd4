import { z } from 'zod'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { Failure } from './failure.ts'
import { flag } from './parameters.ts'

/** While files are read whole for their sums, their tracks can be played already: that is no scan to a client. */
async function scanStatus(
  { scanner, catalog, lastModified }: Parts,
  { viewer, signal }: Asking,
): Promise<Content> {
  const { phase, seen, finishedAt } = scanner.status
  const scanning = phase !== 'idle' && phase !== 'hashing'
  const { tracks } = await catalog.counts(viewer, undefined, signal)
  const lastScan = finishedAt === undefined ? undefined : new Date(finishedAt).toISOString()
  return {
    scanning,
    count: scanning && viewer.administrator ? seen : tracks,
    lastScan: lastScan ?? undefined,
    lastModified: lastModified.at,
  }
}

export const getScanStatus = endpoint(z.object({}), async (parts, asking) => ({
  scanStatus: await scanStatus(parts, asking),
}))

export const startScan = endpoint(
  z.object({ fullScan: flag(false) }),
  async (parts, asking, { fullScan }) => {
    if (!asking.viewer.administrator) throw new Failure(50, 'Only administrators may start a scan')
    parts.scanner.scan({ full: fullScan }).catch((error) => {
      asking.request.log.error({ err: error }, 'a scan failed')
    })
    return { scanStatus: await scanStatus(parts, asking) }
  },
)
