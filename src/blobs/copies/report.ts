import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type Id, timestamp } from '../../protocol/ids.ts'
import { defineCollection, update } from '../../store/collection.ts'
import type { Store } from '../../store/store.ts'
import type { Copies } from './copies.ts'

const count = z.int().nonnegative()

/** What a media node says of its copies, under `cluster/copies/<node>`: for the layout, for `status` and for the pages. */
const copiesReport = z.object({
  version: count,
  filled: count,
  comparing: z.boolean(),
  wanted: count,
  wantedBytes: count,
  missing: count,
  missingBytes: count,
  surplus: count,
  lost: count,
  bytesPerSecond: count,
  problem: z.string().max(100).nullable(),
  at: timestamp,
})
export type CopiesReport = z.infer<typeof copiesReport>

const copiesReports = defineCollection({ prefix: 'cluster/copies/', version: 1, schema: copiesReport })

/** The last report of each node that ever made one. */
export async function readReports(store: Store, signal: AbortSignal): Promise<ReadonlyMap<Id, CopiesReport>> {
  const reports = new Map<Id, CopiesReport>()
  for await (const { id, value } of copiesReports.walk(store, { skip: () => undefined }, signal)) {
    reports.set(id, value)
  }
  return reports
}

export interface ReportingOptions {
  readonly store: Store
  readonly self: Id
  readonly copies: Pick<Copies, 'status'>
  /** How often it is looked whether something has changed, in milliseconds. */
  readonly everyMs: number
  readonly onError: (error: unknown) => void
}

/** Writes the report when it has changed, until the signal ends it. */
export async function keepReporting(options: ReportingOptions, signal: AbortSignal): Promise<void> {
  const { store, self, copies, everyMs, onError } = options
  let written = ''
  while (!signal.aborted) {
    const report = reportOf(copies)
    const text = JSON.stringify(report)
    try {
      if (text !== written)
        await update(store, copiesReports, self, () => ({ ...report, at: Date.now() }), signal)
      written = text
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
    await pause(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

function reportOf(copies: Pick<Copies, 'status'>): Omit<CopiesReport, 'at'> {
  const { comparing, here: _, copiedBytes: __, bytesPerSecond, ...status } = copies.status()
  return { ...status, comparing: comparing !== null, bytesPerSecond: Math.round(bytesPerSecond) }
}
