import { Readable } from 'node:stream'
import type { Blobs } from '../../blobs/blobs.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Index } from '../../index/index.ts'
import type { Media } from '../../media/media.ts'
import { type NodeStatus, nodeStatus } from '../../protocol/api/node.ts'
import type { Store } from '../../store/store.ts'
import type { Api } from '../api.ts'
import type { Scanning } from '../gateway.ts'
import { type Metrics, tickMs } from '../metrics.ts'
import { bytes, ok } from '../openapi/operation.ts'
import { goneSignalOf, signalOf } from '../signal.ts'
import { everything } from './catalog.ts'

interface Parts {
  readonly store: Pick<Store, 'status'>
  readonly index: Pick<Index, 'progress'>
  readonly blobs: Pick<Blobs, 'space'>
  readonly catalog: Pick<Catalog, 'counts'>
  readonly media: Pick<Media, 'status'>
  readonly scanner: Scanning
  readonly metrics: Metrics
  readonly version: string
  readonly startedAt: number
  readonly backup: (signal: AbortSignal) => AsyncIterable<Uint8Array>
}

/** The node itself, for its administrators. */
export function nodeRoutes(app: Api, parts: Parts): void {
  const tag = 'Administration'
  const config = { administrator: true }

  app.get(
    '/api/status',
    {
      config,
      schema: {
        operationId: 'readStatus',
        summary: 'How this server is',
        tag,
        response: ok(nodeStatus, 'Its state'),
      },
    },
    (_request, reply) => statusOf(parts, signalOf(reply)),
  )

  app.post(
    '/api/backup',
    {
      config,
      schema: {
        operationId: 'backUp',
        summary: 'A backup of all facts and uploads, made while the server runs',
        changesNothing: true,
        tag,
        response: {
          200: bytes(['application/x-tar'], 'The archive; `npm run hocket -- restore` reads it')[200],
        },
      },
    },
    (_request, reply) => {
      const day = new Date().toISOString().slice(0, 10)
      return reply
        .type('application/x-tar')
        .header('content-disposition', `attachment; filename="hocket-${day}.tar"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(parts.backup(goneSignalOf(reply)), { objectMode: false }))
    },
  )
}

/** How long the store may take to say how it is, in milliseconds. */
const storeDeadline = 2_000

async function statusOf(parts: Parts, signal: AbortSignal): Promise<NodeStatus> {
  const { store, index, blobs, catalog, media, scanner, metrics, version, startedAt } = parts
  const [facts, disk, counts] = await Promise.all([
    store.status(AbortSignal.any([signal, AbortSignal.timeout(storeDeadline)])).catch(() => {
      signal.throwIfAborted()
      return null
    }),
    blobs.space(),
    catalog.counts(everything, undefined, signal),
  ])
  const { state, revision, applied, skipped } = index.progress
  const { rss, heapUsed } = process.memoryUsage()
  return {
    version,
    startedAt,
    store: facts,
    index: {
      state,
      revision,
      behind: Math.max(0, (facts?.revision ?? revision) - revision),
      applied,
      skipped,
    },
    memory: { rss, heapUsed },
    eventLoopDelay: delayOf(metrics),
    disk,
    streams: metrics.streams.now,
    transcodes: media.status().transcodes,
    scan: scanner.status,
    counts,
  }
}

/** In milliseconds since the last time somebody asked. */
function delayOf({ eventLoopDelay }: Metrics): NodeStatus['eventLoopDelay'] {
  // Node's histogram holds the time from one tick to the next, the pause between them included.
  const ms = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 10_000 - 100 * tickMs) / 100)
  const delay = {
    p50: ms(eventLoopDelay.percentile(50)),
    p99: ms(eventLoopDelay.percentile(99)),
    max: ms(eventLoopDelay.max),
  }
  eventLoopDelay.reset()
  return delay
}
