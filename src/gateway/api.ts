import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'

/** A Fastify whose routes take their types from their zod schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** For a server all of whose schemas are zod's: else Fastify loads compilers of its own, some megabytes nobody uses. */
export const zodOnly = {
  compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler },
} as const

function noCompiler(): never {
  throw new Error('this server knows zod schemas only')
}
