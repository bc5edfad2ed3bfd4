import { z } from 'zod'
import { id } from '../ids.ts'
import { scanStatus } from './catalog.ts'

/** What the WebSocket at `/api/live` says to a page. Pages only listen on it; requests go by HTTP. */
export const liveMessage = z.discriminatedUnion('type', [
  /** First of all: how far the index of this gateway is. */
  z.object({ type: z.literal('hello'), revision: z.int(), version: z.string() }),
  /** Things have changed: load again what shows them. `ids` is absent where there are too many to name. */
  z.object({
    type: z.literal('changed'),
    revision: z.int(),
    what: z.enum([
      'albums',
      'libraries',
      'problems',
      'playlists',
      'marks',
      'queue',
      'podcasts',
      'stations',
      'accounts',
    ]),
    ids: z.array(id).max(200).optional(),
  }),
  z.object({ type: z.literal('scan'), status: scanStatus }),
])
export type LiveMessage = z.infer<typeof liveMessage>
