import type { TrackSource } from '../../catalog/catalog.ts'
import type {
  MadePicture,
  Renditions,
  WantedPicture,
  WantedRendition,
} from '../../gateway/media/renditions.ts'
import { isCurrent, type Tracks } from '../../gateway/media/tracks.ts'
import { durationHeader, immutableHeader } from '../../gateway/peers/renditions.ts'
import type { Representation } from '../../media/serve/representation.ts'
import { sufficesAsStored } from '../../media/transcode/original.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { CallAnswer, CallRequest, Calls } from '../../registry/calls.ts'
import { beginning, type Opened, openMade, readOn } from './going-on.ts'
import type { Turns } from './turns.ts'

export interface RenditionsElsewhereOptions {
  readonly calls: Pick<Calls, 'open'>
  readonly turns: Turns
  /** What suffices as it is stored is streamed as such. */
  readonly tracks: Pick<Tracks, 'open'>
  /** The nodes that are to have a copy of a blob: they need not fetch it to make something of it. */
  readonly holders: (hash: BlobHash) => readonly Id[]
  /** On which node's disk a library is; null: it names none. */
  readonly nodeOf: (library: Id) => Id | null
}

/** With the node that gave it. */
type Answer = CallAnswer & { readonly node: Id }

/** A place among those who encode is waited for as long as thirty seconds. Milliseconds. */
const transcodeMs = 40_000
const pictureMs = 30_000
/** Encoders are many times as fast as a listener: what is silent for so long is stopped or gone. Milliseconds. */
const stallMs = 3_000
const mostPictureBytes = 16 * 1_048_576
/** Pictures that are tried until one can be read. */
const mostPictures = 8

/** For a node without the role `media`: nodes that have it make what listeners want. */
export function createRenditionsElsewhere(options: RenditionsElsewhereOptions): Renditions {
  const { calls, turns, tracks, holders, nodeOf } = options

  /** The nodes that need not fetch the bytes: those of its blob, or else those of its files. */
  function nodesWith({ blob, places }: TrackSource): readonly Id[] {
    if (blob !== undefined) return holders(blob)
    return places.flatMap(({ library }) => nodeOf(library) ?? [])
  }

  function opening(
    request: Pick<CallRequest, 'path' | 'json'>,
    preferred: readonly Id[],
    deadlineMs: number,
  ): Opened {
    let last: readonly Id[] = []
    return async (headers, signal) => {
      const answer = await turns.ask<Answer>('media', {
        // Who has made it has kept it.
        preferred: [...last, ...preferred],
        signal,
        async at(node, attempt) {
          const call = { method: 'POST', ...request, headers, repeatable: true } as const
          return { node, ...(await calls.open(node, call, { deadlineMs, stallMs, signal: attempt })) }
        },
        discard: (late) => late[Symbol.dispose](),
      })
      last = [answer.node]
      return answer
    }
  }

  return {
    async transcode(source: TrackSource, wanted: WantedRendition, signal: AbortSignal) {
      if (sufficesAsStored(source, wanted)) {
        const original = await tracks.open(source, signal)
        return { bytes: original, immutable: isCurrent(source, original, wanted.v) }
      }
      const json = { source, wanted }
      const open = opening({ path: '/renditions', json }, nodesWith(source), transcodeMs)
      const answer = await open(beginning, signal)
      const { headers } = answer
      const durationMs = Number(headers[durationHeader])
      return {
        bytes: openMade(answer, open, Number.isFinite(durationMs) ? durationMs : undefined, signal),
        immutable: headers[immutableHeader] !== undefined,
      }
    },

    async cover(wanted: WantedPicture, signal: AbortSignal): Promise<MadePicture> {
      const pictures = wanted.pictures.slice(0, mostPictures)
      const [first] = pictures
      const blob = first?.file?.is?.blob
      const near = blob !== undefined ? holders(blob) : first?.within ? nodesWith(first.within) : []
      const open = opening({ path: '/pictures', json: { ...wanted, pictures } }, near, pictureMs)
      using answer = await open({}, signal)
      const { headers } = answer
      const pieces: Uint8Array[] = []
      let size = 0
      for await (const piece of readOn(answer, open, 0, signal)) {
        size += piece.length
        if (size > mostPictureBytes) throw new CodedError('UNREACHABLE', 'the picture is too large')
        pieces.push(Uint8Array.from(piece))
      }
      const bytes = Buffer.concat(pieces)
      const mediaType = headers['content-type'] ?? 'application/octet-stream'
      return {
        bytes: inMemory(bytes, mediaType, headers.etag ?? ''),
        immutable: headers[immutableHeader] !== undefined,
      }
    },
  }
}

function inMemory(bytes: Buffer, mediaType: string, etag: string): Representation {
  return {
    size: bytes.length,
    etag,
    mediaType,
    async *open({ start, end }) {
      yield bytes.subarray(start, end)
    },
    [Symbol.dispose]() {},
  }
}
