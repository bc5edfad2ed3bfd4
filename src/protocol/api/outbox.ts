import { z } from 'zod'
import { connection, eventType, outsideUrl, progress, scrobbleService } from '../facts/outbox.ts'
import { id } from '../ids.ts'

/** What `/api` says of connections: services and addresses outside to which plays and other events are delivered. */

export const connectionView = connection.omit({ secret: true }).extend({
  id,
  ...progress.omit({ failures: true, trouble: true }).shape,
  /** What went wrong last, in words. */
  trouble: progress.shape.trouble.unwrap().extend({ title: z.string(), help: z.string() }).optional(),
  /** What is to be delivered still. */
  waiting: z.int(),
})
export type ConnectionView = z.infer<typeof connectionView>

export const connectionList = z.object({
  items: z.array(connectionView),
  /** Where Last.fm asks whether this server may scrobble; absent: no administrator has set it up. */
  lastfm: z.object({ authorizeUrl: z.string() }).optional(),
})

export const connectionInput = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('listenbrainz'),
    /** Of a server that speaks as ListenBrainz does; without it, ListenBrainz itself. */
    url: outsideUrl.optional(),
    token: z.string().min(1).max(500),
  }),
  /** `token`: what Last.fm hands to the page that it returns to. */
  z.object({ kind: z.literal('lastfm'), token: z.string().min(1).max(500) }),
  z.object({
    kind: z.literal('webhook'),
    url: outsideUrl,
    events: z.array(eventType).min(1).max(eventType.options.length),
  }),
])
export type ConnectionInput = z.infer<typeof connectionInput>

export const connectionMade = z.object({
  connection: connectionView,
  /** Of a webhook: the key of its signatures, shown this once. */
  secret: z.string().optional(),
})

export const serviceInput = z.object({
  apiUrl: outsideUrl.default('https://ws.audioscrobbler.com/2.0/'),
  authorizeUrl: outsideUrl.default('https://www.last.fm/api/auth/'),
  apiKey: z.string().min(1).max(200),
  sharedSecret: z.string().min(1).max(200),
})
export type ServiceInput = z.infer<typeof serviceInput>

/** The secret is never shown again. */
export const serviceView = scrobbleService.omit({ secret: true })

export const playingInput = z.object({ track: id })
