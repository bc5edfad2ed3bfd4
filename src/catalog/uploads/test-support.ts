import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify from 'fastify'
import { Upload } from 'tus-js-client'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { sweepTemporary } from '../../blobs/temporary.ts'
import { openIndex } from '../../index/index.ts'
import { CodedError, errorCodes } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import { createCatalog } from '../catalog.ts'
import { createPlaces } from '../places.ts'
import { createRecords, type Records } from '../records.ts'
import { createTagReader, usualReaderOptions } from '../tags/reader.ts'
import { openUploads, type Uploader } from './open.ts'
import { createWithdraw } from './withdraw.ts'

export const alice = '00000000-0000-4000-8000-00000000000a'

/** A whole node, as far as uploads need one, over a data folder; the edge is the smallest that can mount them. */
export async function startUploadServer(
  folder: string,
  options: { wrapRecords?: (records: Records) => Records } = {},
) {
  const people = new Map<Id, Uploader>([[alice, { administrator: false, quotaBytes: 10_000_000 }]])
  await mkdir(folder, { recursive: true })
  await sweepTemporary(folder)
  const errors: unknown[] = []
  const store = await openSqliteStore(join(folder, 'store.db'))
  const index = await openIndex({
    path: join(folder, 'index.db'),
    store,
    projections: [new URL('../index/projection.ts', import.meta.url)],
  })
  const blobs = await openDiskBlobs(folder, {
    cacheBytes: 1_000_000,
    otherCopies: () => [],
    report: () => {},
  })
  const tagReader = createTagReader({ ...usualReaderOptions, processes: 1 })
  const { wrapRecords = (same) => same } = options
  const records = createRecords(store)
  const catalog = createCatalog({ store, index })
  const uploads = await openUploads({
    dataFolder: folder,
    store,
    index,
    openRecords: () => wrapRecords(createRecords(store)),
    blobs,
    spread: async () => undefined,
    catalog,
    places: createPlaces(index, null),
    tell: async () => [],
    tagReader,
    uploader: (user) => people.get(user) ?? null,
    onError: (error) => errors.push(error),
  })

  const edge = Fastify()
  edge.addContentTypeParser('application/offset+octet-stream', (_request, _body, done) => done(null))
  edge.setErrorHandler((error, _request, reply) => {
    const code = error instanceof CodedError ? error.code : 'INTERNAL'
    if (code === 'INTERNAL') errors.push(error)
    const detail = error instanceof CodedError ? error.detail : undefined
    return reply.code(errorCodes[code].status).send({ code, detail })
  })
  edge.route({
    method: ['POST', 'PATCH', 'HEAD', 'DELETE', 'OPTIONS'],
    url: '/api/uploads*',
    async handler(request, reply) {
      const user = String(request.headers.authorization)
      const { status, headers, body } = await uploads.handle(request.raw, { user, administrator: false })
      return reply.code(status).headers(headers).send(body)
    },
  })
  await edge.listen({ port: 0, host: '127.0.0.1' })
  const [address] = edge.addresses()
  const port = typeof address === 'object' ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}/api/uploads`,
    store,
    index,
    blobs,
    tagReader,
    records,
    catalog,
    uploads,
    withdraw: createWithdraw({ index, catalog, records }),
    people,
    errors,
    async [Symbol.asyncDispose]() {
      edge.server.closeAllConnections()
      await edge.close()
      await uploads[Symbol.asyncDispose]()
      await tagReader[Symbol.asyncDispose]()
      await blobs[Symbol.asyncDispose]()
      await index[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export type UploadServer = Awaited<ReturnType<typeof startUploadServer>>

/** Someone with an account. */
export function newPerson(server: UploadServer, quotaBytes = 10_000_000): Id {
  const id = randomUUID()
  server.people.set(id, { administrator: false, quotaBytes })
  return id
}

/** A playable WAV file of some length, whose sound, and so its bytes, depend on `seed`. */
export function wav(seed: number, samples = 20_000): Buffer {
  const bytes = Buffer.alloc(44 + samples * 2)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(8_000, 24)
  bytes.writeUInt32LE(16_000, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(samples * 2, 40)
  for (let at = 0; at < samples; at += 1)
    bytes.writeInt16LE(Math.round(8_000 * Math.sin((at * (200 + seed)) / 8_000)), 44 + at * 2)
  return bytes
}

export interface Sent {
  readonly status: number
  readonly body: string
  readonly revision: string | undefined
}

/** Uploads `bytes` with the usual client; resolves with the answer to the last byte, rejects with the client's error. */
export function send(
  url: string,
  bytes: Buffer,
  options: {
    user?: string
    name?: string
    chunkSize?: number
    atOnce?: boolean
    retryDelays?: number[]
  } = {},
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint: url,
      headers: { authorization: options.user ?? alice },
      metadata: { filename: options.name ?? 'a song.wav' },
      retryDelays: options.retryDelays ?? null,
      ...(options.chunkSize !== undefined && { chunkSize: options.chunkSize }),
      ...(options.atOnce && { uploadDataDuringCreation: true }),
      onError: reject,
      onSuccess: ({ lastResponse }) =>
        resolve({
          status: lastResponse.getStatus(),
          body: lastResponse.getBody(),
          revision: lastResponse.getHeader('hocket-revision'),
        }),
    })
    upload.start()
  })
}
