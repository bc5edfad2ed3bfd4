import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { type Watchdog, watch } from '../../blobs/copies/watchdog.ts'
import type { Viewer } from '../../catalog/catalog.ts'
import type { UploadAnswer, Uploads } from '../../catalog/uploads/uploads.ts'
import { administratorHeader, uploaderHeader } from '../../gateway/peers/uploads.ts'
import { uploadHere } from '../../protocol/api/peers.ts'
import { uploadSummary } from '../../protocol/api/uploads.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { type Id, id as idSchema } from '../../protocol/ids.ts'
import type { CallAnswer, Calls } from '../../registry/calls.ts'

export interface UploadsEverywhereOptions {
  readonly self: Id
  readonly calls: Pick<Calls, 'ask' | 'open' | 'candidates'>
  /** The uploads of this node; null: it does not have the role `catalog`. */
  readonly here: Uploads | null
}

const askMs = 3_000
/** A connection that brings nothing for so long is given up; the client may go on with another. Milliseconds. */
const stalledMs = 60_000
/** How long an upload that has arrived may take to be kept and copied, in milliseconds. */
const finishMs = 330_000
/** An upload of the largest size over the slowest line that makes sense, in milliseconds. */
const longestMs = 24 * 3_600_000
const mostAnswerBytes = 1_048_576
const methods = z.enum(['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'])
/** Headers of the protocol; all others were for the gateway. */
const carried = /^(?:content-(?:type|length)|tus-.*|upload-.*)$/
const answered = /^(?:content-type|location|cache-control|tus-.*|upload-.*|hocket-.*)$/

/**
 * The uploads of all catalog nodes, through any gateway: one is begun here where this node can, else at the least busy
 * one; what is asked of it later goes to the node that has it, whichever gateway is asked (B3 is that node's to keep).
 */
export function createUploadsEverywhere(options: UploadsEverywhereOptions): Pick<Uploads, 'handle' | 'list'> {
  const { self, calls, here } = options
  const others = () =>
    calls
      .candidates('catalog')
      .map(({ id }) => id)
      .filter((id) => id !== self)

  /** The node that has the upload; null: this one. */
  async function nodeOf(upload: Id): Promise<Id | null> {
    if (here?.has(upload) === true) return null
    const request = { method: 'GET', path: `/uploads/${upload}` } as const
    const nodes = others()
    const found = await Promise.all(
      nodes.map(async (node) => {
        const silent = { here: false, isSilent: true }
        return await calls.ask(node, request, uploadHere, { deadlineMs: askMs }).catch(() => silent)
      }),
    )
    const node = nodes.find((_, at) => found[at]?.here === true)
    if (node !== undefined) return node
    // One that may have it did not answer: that is not the same as that nobody has it.
    if (found.some((each) => 'isSilent' in each))
      throw new CodedError('UNREACHABLE', 'a catalog node is silent')
    throw new CodedError('NOT_FOUND', 'there is no such upload')
  }

  /** Where to begin one; null: here. */
  function nodeToBegin(): Id | null {
    if (here !== null) return null
    const [node] = others()
    if (node === undefined) throw new CodedError('ROLE_AWAY', 'catalog')
    return node
  }

  async function passOn(node: Id, message: IncomingMessage, viewer: Viewer): Promise<UploadAnswer> {
    const method = methods.parse(message.method)
    const hasBody = method === 'POST' || method === 'PATCH'
    using dog = watch('the bytes of an upload', stalledMs)
    const headers = Object.fromEntries(
      Object.entries(message.headers).flatMap(([name, value]) =>
        carried.test(name) && typeof value === 'string' ? [[name, value]] : [],
      ),
    )
    if (!hasBody) dog.rest()
    const request = {
      method,
      path: new URL(message.url ?? '/', 'http://localhost').pathname,
      headers: {
        ...headers,
        [uploaderHeader]: viewer.user,
        [administratorHeader]: viewer.administrator ? '1' : '0',
      },
      ...(hasBody && { body: bodyOf(message, dog) }),
    }
    const deadlineMs = hasBody ? longestMs : finishMs
    using answer = await calls.open(node, request, { deadlineMs, stallMs: finishMs, signal: dog.signal })
    return await answerOf(answer)
  }

  return {
    async handle(message, viewer) {
      const upload = idSchema.safeParse(/^\/api\/uploads\/([^/?]+)/.exec(message.url ?? '')?.[1])
      const node = upload.success ? await nodeOf(upload.data) : nodeToBegin()
      if (node !== null) return await passOn(node, message, viewer)
      if (here === null) throw new CodedError('ROLE_AWAY', 'catalog')
      return await here.handle(message, viewer)
    },

    async list(user) {
      const request = { method: 'GET', path: `/uploads?user=${user}` } as const
      const lists = others().map(async (node) => {
        try {
          return await calls.ask(node, request, z.array(uploadSummary), { deadlineMs: askMs })
        } catch (error) {
          if (isCoded(error)) return []
          throw error
        }
      })
      const all = (await Promise.all([here?.list(user) ?? [], ...lists])).flat()
      return all.toSorted((one, other) => other.createdAt - one.createdAt)
    },
  }
}

/** The bytes as they come. Where nobody wants the rest, the client is still answered: its connection stays. */
async function* bodyOf(message: IncomingMessage, dog: Watchdog): AsyncGenerator<Uint8Array> {
  for await (const bytes of message.iterator({ destroyOnReturn: false })) {
    dog.rest()
    if (bytes instanceof Uint8Array) yield bytes
    dog.touch()
  }
  dog.rest()
}

async function answerOf({ status, headers, body }: CallAnswer): Promise<UploadAnswer> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > mostAnswerBytes) throw new CodedError('UNREACHABLE', 'the answer is too long')
    pieces.push(piece)
  }
  const own = Object.entries(headers).flatMap(([name, value]) =>
    answered.test(name) && typeof value === 'string' ? [[name, value] as const] : [],
  )
  const text = Buffer.concat(pieces).toString()
  return { status, headers: Object.fromEntries(own), body: text === '' ? null : text }
}
