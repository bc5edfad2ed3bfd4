import * as facts from '../protocol/facts/outbox.ts'
import type { Id } from '../protocol/ids.ts'
import { defineCollection } from '../store/collection.ts'

/** `<userId>/<connectionId>` */
export const connections = defineCollection({
  prefix: 'outbox/connections/',
  version: 1,
  schema: facts.connection,
})

/** `<userId>/<connectionId>/<time>-<eventId>` */
export const entries = defineCollection({
  prefix: 'outbox/entries/',
  version: 1,
  schema: facts.event,
  compress: true,
})

/** `<userId>/<connectionId>` */
export const progresses = defineCollection({
  prefix: 'outbox/progress/',
  version: 1,
  schema: facts.progress,
})

/** Its only id is `lastfm`. */
export const services = defineCollection({
  prefix: 'outbox/services/',
  version: 1,
  schema: facts.scrobbleService,
})
export const lastfmId = 'lastfm'

export const noProgress: facts.Progress = { failures: 0, needsAttention: false, dropped: 0 }

/** The key of an entry begins with when it was written: that is the order of delivery, whatever is told of it. */
export function entryId(connection: string, writtenAt: number, event: Id): string {
  return `${connection}/${String(writtenAt).padStart(15, '0')}-${event}`
}

/** Whose connection it is, by its key. */
export function userOf(connection: string): Id {
  return connection.slice(0, connection.indexOf('/'))
}

/** The connection's own id, by its key. */
export function idOf(connection: string): Id {
  return connection.slice(connection.indexOf('/') + 1)
}

/** When an entry was written, in milliseconds since 1970. */
export function writtenAt(entry: string): number {
  return Number(entry.slice(entry.lastIndexOf('/') + 1).slice(0, 15))
}
