import { createHash } from 'node:crypto'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { largestPicture } from '../../protocol/facts/sizes.ts'
import type { DiskCache } from '../cache/disk-cache.ts'
import type { Representation } from '../serve/representation.ts'
import { createSharedWork } from '../shared.ts'
import { createSlots } from '../transcode/slots.ts'
import { type Cover, type CoverProblem, type CoverRequest, coverSizes, type Picture } from './cover.ts'
import type { PictureRequest, PictureWorker } from './picture-worker.ts'
import { placeholder } from './placeholder.ts'
import type { PictureFormat } from './worker/job.ts'

/** Changed whenever the same picture would come out otherwise. */
const recipe = '1'
/** So many pictures that could not be read are remembered, so that they are neither tried nor reported again. */
const maximumRemembered = 10_000
const makeMs = 60_000

export interface Covers {
  cover(request: CoverRequest, signal: AbortSignal): Promise<Cover>
}

/** Pictures of the sizes and kinds that are asked for, made once and kept in `cache`. */
export function createCovers(
  worker: PictureWorker,
  cache: DiskCache,
  report: (problem: CoverProblem) => void,
): Covers {
  const shared = createSharedWork<Buffer | null>()
  // Pictures are read only when their turn has come: a hundred at once would otherwise lie in memory together.
  const slots = createSlots({ places: 8, queue: 5_000, patienceMs: 30_000 })
  const unreadable = new Set<string>()

  /** What is kept under the key, or else made; null where there is nothing to make it of. */
  async function keptOrMade(
    key: string,
    format: PictureFormat,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<Buffer | null>,
  ): Promise<Representation | null> {
    const mediaType = `image/${format}`
    const kept = await cache.get(key)
    if (kept !== null) return { ...kept, mediaType }
    const made = await shared.do(key, signal, async (stop) => {
      const bytes = await make(AbortSignal.any([stop, AbortSignal.timeout(makeMs)]))
      if (bytes !== null) await keep(key, format, bytes)
      return bytes
    })
    return made && inMemory(made, mediaType)
  }

  /** A cache that cannot be written to costs time, not pictures. */
  async function keep(key: string, suffix: string, bytes: Buffer): Promise<void> {
    try {
      const draft = await cache.create(key, suffix)
      await draft.write(bytes).then(draft.complete).finally(draft.close)
    } catch {
      // The next request makes it again.
    }
  }

  async function fitted(
    id: string,
    picture: Picture,
    size: number,
    format: PictureFormat,
    signal: AbortSignal,
  ): Promise<Representation | null> {
    if (unreadable.has(picture.version)) return null
    try {
      return await keptOrMade(
        `${recipe}/${picture.version}/${size}/${format}`,
        format,
        signal,
        async (stop) => {
          using _place = await slots.take(stop)
          const source = await picture.read(stop)
          if (source === null) return null
          if ('path' in source) {
            const path = Buffer.from(source.path).toString('base64')
            return await worker.make({ kind: 'fit', size, format, path }, new Uint8Array(), stop)
          }
          if (source.bytes.length > largestPicture) {
            throw new CodedError('COVER_UNREADABLE', `it has ${source.bytes.length} bytes`)
          }
          return await worker.make({ kind: 'fit', size, format }, source.bytes, stop)
        },
      )
    } catch (error) {
      if (!isCoded(error, 'COVER_UNREADABLE')) throw error
      remember(id, picture, error)
      return null
    }
  }

  function remember(id: string, { version, place }: Picture, error: CodedError): void {
    const [oldest] = unreadable
    if (unreadable.size >= maximumRemembered && oldest !== undefined) unreadable.delete(oldest)
    unreadable.add(version)
    report({ id, version, place, code: 'COVER_UNREADABLE', detail: error.detail ?? '' })
  }

  async function mosaic(
    request: CoverRequest,
    size: number,
    format: PictureFormat,
    signal: AbortSignal,
  ): Promise<Representation | null> {
    const four = request.pictures.slice(0, 4)
    if (request.mosaic !== true || four.length < 4) return null
    const versions = createHash('sha256')
      .update(four.map((picture) => picture.version).join('\n'))
      .digest('hex')
    return await keptOrMade(
      `${recipe}/mosaic/${versions}/${size}/${format}`,
      format,
      signal,
      async (stop) => {
        const parts = await Promise.all(
          four.map(async (picture) => {
            const part = await fitted(request.id, picture, snap(size / 2), 'jpeg', stop)
            return part && (await readAll(part, stop))
          }),
        )
        const readable = parts.filter((part) => part !== null)
        if (readable.length < 4) return null
        const job: PictureRequest = {
          kind: 'mosaic',
          size,
          format,
          lengths: readable.map((part) => part.length),
        }
        return await worker.make(job, Buffer.concat(readable), stop)
      },
    )
  }

  async function drawn(request: CoverRequest, size: number, signal: AbortSignal): Promise<Representation> {
    const svg = Buffer.from(placeholder(request.id, request.name))
    const accept = request.accept ?? ''
    const drawing = inMemory(svg, 'image/svg+xml')
    if (accept.includes('image/svg+xml')) return drawing
    const format = formatFor(accept)
    const key = `${recipe}/drawn/${request.id}/${request.name}/${size}/${format}`
    const made = await keptOrMade(key, format, signal, (stop) =>
      worker.make({ kind: 'draw', size, format }, svg, stop),
    )
    return made ?? drawing
  }

  return {
    async cover(request, signal) {
      const size = snap(request.size ?? coverSizes[coverSizes.length - 1] ?? 0)
      const format = formatFor(request.accept ?? '')
      const four = await mosaic(request, size, format, signal)
      if (four !== null) return { ...four, isDrawn: false }
      for (const picture of request.pictures) {
        const fit = await fitted(request.id, picture, size, format, signal)
        if (fit !== null) return { ...fit, isDrawn: false }
      }
      return { ...(await drawn(request, size, signal)), isDrawn: true }
    },
  }
}

/** The smallest of the kept sizes that has as many pixels as were asked for, or the largest. */
function snap(size: number): number {
  return coverSizes.find((step) => step >= size) ?? 1_024
}

function formatFor(accept: string): PictureFormat {
  return accept.includes('image/webp') ? 'webp' : 'jpeg'
}

function inMemory(bytes: Buffer, mediaType: string): Representation {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
  return {
    size: bytes.length,
    etag: `"${hash}"`,
    mediaType,
    async *open({ start, end }) {
      yield bytes.subarray(start, end)
    },
    [Symbol.dispose]() {},
  }
}

async function readAll(bytes: Representation, signal: AbortSignal): Promise<Buffer> {
  using held = bytes
  const chunks: Buffer[] = []
  for await (const chunk of held.open({ start: 0, end: held.size }, signal)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
