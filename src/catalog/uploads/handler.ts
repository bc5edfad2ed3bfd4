import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { Server, type Upload } from '@tus/server'
import { CodedError, type ErrorCode, errorCodes, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { FolderStore } from './data-store.ts'
import { safeFileName } from './file-name.ts'
import type { Finished, Finisher } from './finish.ts'
import type { Ledger, UploadRecord } from './ledger.ts'
import { createLocker } from './locker.ts'
import type { UploadAnswer, Uploads } from './uploads.ts'

export interface HandlerOptions {
  readonly ledger: Ledger
  readonly store: FolderStore
  readonly finisher: Finisher
  /** Admits a new upload and writes it down. */
  readonly create: (record: UploadRecord) => Promise<void>
  readonly mostBytes: number
}

/** What is known of a request besides itself, and the error that it ran into. */
interface Context {
  readonly user: Id
  error?: unknown
}

const path = '/api/uploads'

/** Translates between Node's requests and the tus server, and the tus server's errors into ours. */
export function createHandler({
  ledger,
  store,
  finisher,
  create,
  mostBytes,
}: HandlerOptions): Uploads['handle'] {
  const contexts = new WeakMap<object, Context>()

  const server = new Server({
    path,
    datastore: store,
    locker: createLocker(),
    maxSize: mostBytes,
    relativeLocation: true,
    namingFunction: () => randomUUID(),
    async onUploadCreate(request, upload) {
      const record = newRecord(upload, contexts.get(request)?.user)
      await create(record)
      return { metadata: { filename: record.fileName } }
    },
    async onIncomingRequest(request, id) {
      if (request.method === 'POST') return
      // Another's upload is as good as none.
      if (ledger.records.get(id)?.user !== contexts.get(request)?.user)
        throw new CodedError('NOT_FOUND', 'there is no such upload')
    },
    async onUploadFinish(request, upload) {
      const record = ledger.records.get(upload.id)
      if (!record) throw new CodedError('NOT_FOUND', 'there is no such upload')
      return answerOf(await finisher.finish(record), request.method === 'POST')
    },
    onResponseError(request, error) {
      const context = contexts.get(request)
      if (context) context.error = error
      return undefined
    },
  })

  return async (message, viewer) => {
    const request = webRequest(message)
    const context: Context = { user: viewer.user }
    contexts.set(request, context)
    const response = await server.handleWeb(request)
    if (context.error !== undefined) throw codedError(context.error)
    const body = (await response.text()) || null
    if (response.status >= 400) throw new CodedError('BAD_REQUEST', body?.trim())
    return { status: response.status, headers: ownHeaders(response.headers, body), body }
  }
}

function newRecord({ id, size, metadata }: Upload, user: Id | undefined): UploadRecord {
  if (user === undefined || size === undefined) throw new CodedError('BAD_REQUEST')
  if (size === 0) throw new CodedError('UPLOAD_NOT_AUDIO', errorCodes.FILE_EMPTY.title)
  const fileName = safeFileName(metadata?.filename ?? metadata?.name ?? '')
  return { id, user, fileName, size, createdAt: Date.now() }
}

/** A creation that brought all the bytes along says where the upload stands, as any creation does. */
function answerOf({ revision, ...result }: Finished, isCreation: boolean) {
  return {
    status_code: isCreation ? 201 : 200,
    headers: { 'hocket-revision': String(revision), 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(result),
  }
}

/** The request as the tus server takes it, with the headers that concern it. */
function webRequest(message: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(message.headers))
    if (/^(?:content-(?:type|length)|tus-.*|upload-.*)$/.test(name) && typeof value === 'string')
      headers.set(name, value)
  const url = new URL(message.url ?? '/', 'http://localhost')
  const { method = 'GET' } = message
  if (method !== 'POST' && method !== 'PATCH') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: Readable.toWeb(message), duplex: 'half' })
}

/** Which pages may call us is the edge's business; and what has no body has no type. */
function ownHeaders(headers: Headers, body: string | null): UploadAnswer['headers'] {
  const own = [...headers].filter(([name]) => !name.startsWith('access-control-'))
  if (body !== null) return Object.fromEntries(own)
  return Object.fromEntries(own.filter(([name]) => name !== 'content-type'))
}

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  403: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'UPLOAD_EXPIRED',
  413: 'TOO_LARGE',
  501: 'BAD_REQUEST',
}

/** The tus server throws objects with a status and a text, where they come from itself. */
function codedError(error: unknown): unknown {
  if (isCoded(error) || typeof error !== 'object' || error === null) return error
  if (!('status_code' in error) || !('body' in error)) return error
  const code = codesByStatus[Number(error.status_code)]
  return code === undefined ? error : new CodedError(code, String(error.body).trim())
}
