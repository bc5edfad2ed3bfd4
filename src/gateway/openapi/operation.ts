import { z } from 'zod'

declare module 'fastify' {
  /** What a route says of itself in `/openapi.json`; routes without an `operationId` are not a part of it. */
  interface FastifySchema {
    operationId?: string
    summary?: string
    description?: string
    tag?: Tag
    /** Changes no fact, though its method is that of a write: the answer carries no revision. */
    changesNothing?: boolean
    /** Media types of the body, where it is not JSON. */
    consumes?: readonly string[]
  }
}

export const tags = [
  { name: 'Session', description: 'Getting in: the first start, signing in and out, invitations.' },
  { name: 'Me', description: 'The account that asks, and its devices.' },
  { name: 'Catalog', description: 'Albums, artists, tracks, genres, folders, search.' },
  { name: 'Media', description: 'Audio, lyrics and covers.' },
  { name: 'Listening', description: 'Stars, ratings, plays and the queue.' },
  {
    name: 'Connections',
    description: 'Services outside that are told of plays: ListenBrainz, Last.fm, webhooks.',
  },
  { name: 'Playlists', description: 'Plain and smart playlists.' },
  { name: 'Podcasts', description: 'Podcasts, their episodes, and where each account goes on.' },
  { name: 'Radio', description: 'Internet radio, heard through this server.' },
  { name: 'Shares', description: 'Links under which anyone hears what an account shares.' },
  { name: 'Libraries', description: 'Music folders, scans and their problems.' },
  { name: 'Uploads', description: 'Resumable uploads (tus 1.0.0).' },
  { name: 'Administration', description: 'Users and the server itself.' },
  { name: 'Health', description: 'For load balancers and Prometheus.' },
] as const
export type Tag = (typeof tags)[number]['name']

/** A good answer in JSON: `response: ok(albumDetail, 'The album')`. */
export function ok<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { 200: json(schema, description) } as const
}

/** The answer to a request that has made something. */
export function made<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { 201: json(schema, description) } as const
}

/** The answer to a request after which there is nothing to say. */
export function done(description: string) {
  return { 204: z.undefined().describe(description) } as const
}

export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } } as const
}

/** Answers of bytes of these media types, whole or in ranges. */
export function bytes(types: readonly string[], description: string) {
  const content = Object.fromEntries(types.map((type) => [type, { schema: z.unknown() }]))
  return {
    200: { description, content },
    206: { description: 'The bytes of the range', content },
    304: z.undefined().describe('Not modified'),
    412: z.undefined().describe('A precondition failed'),
    416: z.undefined().describe('The range lies outside the bytes'),
  } as const
}

export interface Answer {
  readonly status: number
  readonly description: string
  readonly content: readonly (readonly [type: string, schema: z.ZodType])[]
}

const described = z.object({
  description: z.string(),
  content: z.record(z.string(), z.object({ schema: z.instanceof(z.ZodType) })),
})

/** Reads a route's `response` back: the pieces that the functions above make, and bare schemas. */
export function answersOf(response: unknown): readonly Answer[] {
  if (typeof response !== 'object' || response === null) return []
  return Object.entries(response).map(([status, value]) => {
    if (value instanceof z.ZodType)
      return { status: Number(status), description: value.description ?? '', content: [] }
    const { description, content } = described.parse(value)
    return {
      status: Number(status),
      description,
      content: Object.entries(content).map(([type, { schema }]) => [type, schema] as const),
    }
  })
}
