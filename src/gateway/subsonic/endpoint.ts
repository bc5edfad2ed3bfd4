import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { AuthenticatedDevice } from '../../accounts/accounts.ts'
import type { Viewer } from '../../catalog/catalog.ts'
import type { Details } from '../../catalog/details.ts'
import type { Reader } from '../../index/index.ts'
import type { GatewayConfig, Roles } from '../gateway.ts'
import type { Archives } from '../media/archives.ts'
import type { Metrics } from '../metrics.ts'
import type { Content } from './content.ts'
import type { LastModified } from './last-modified.ts'
import type { Form } from './listing.ts'
import type { NowPlaying } from './now-playing.ts'
import type { Pages } from './pages.ts'
import { parseParameters, type RawParameters } from './parameters.ts'
import type { Seeds } from './seeds.ts'

/** What the endpoints stand on. */
export interface Parts extends Roles {
  readonly config: Pick<GatewayConfig, 'publicUrl'>
  readonly details: Details
  readonly streams: Metrics['streams']
  readonly archives: Archives
  readonly nowPlaying: NowPlaying
  readonly lastModified: LastModified
  readonly seeds: Seeds
  readonly pages: Pages
  readonly listing: Reader<typeof import('./listing.ts')>
  /** The same, asked of two threads at a time. */
  readonly halves: Reader<typeof import('./listing.ts')>
}

/** One request: who asks, and by what. */
export interface Asking extends AuthenticatedDevice {
  readonly viewer: Viewer
  /** What the client calls itself; it is shown to people and changes nothing else. */
  readonly client: string
  /** How the answer is written. */
  readonly form: Form
  readonly raw: RawParameters
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Aborted when the client has gone, or the answer takes too long to begin. */
  readonly signal: AbortSignal
}

/** What is in the envelope, or that the handler has answered by itself, with bytes. */
export const answered = 'answered' as const
export type Answer = Content | typeof answered

export interface Endpoint {
  answer(parts: Parts, asking: Asking): Promise<Answer>
}

/** A handler behind the schema of its parameters. */
export function endpoint<Shape extends z.ZodRawShape>(
  parameters: z.ZodObject<Shape>,
  handler: (
    parts: Parts,
    asking: Asking,
    parameters: z.output<z.ZodObject<Shape>>,
  ) => Answer | Promise<Answer>,
): Endpoint {
  return {
    answer: async (parts, asking) => handler(parts, asking, parseParameters(parameters, asking.raw)),
  }
}

/** Waits until the index has what was written, so that whatever the client asks next shows it (law F4). */
export async function settled<Value>(
  { index }: Pick<Parts, 'index'>,
  { value, revision }: { readonly value: Value; readonly revision: number },
  signal: AbortSignal,
): Promise<Value> {
  await index.waitFor(revision, signal)
  return value
}
