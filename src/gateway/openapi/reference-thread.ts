import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import reference from '@scalar/fastify-api-reference'
import Fastify from 'fastify'

/**
 * Hands out the script of the reference page, compressed. The package keeps its 4 MB as a string in a module and gives
 * it away only as a route; reading and compressing that takes half a second, which the main thread does not have.
 */
const holder = Fastify()
await holder.register(reference, { routePrefix: '/docs', configuration: { url: '/openapi.json' } })
const { rawPayload } = await holder.inject('/docs/js/scalar.js')
parentPort?.postMessage(new Uint8Array(gzipSync(rawPayload)))
