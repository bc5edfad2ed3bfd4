import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'

/**
 * How a fact stands in the store: `{"v":<version>,"d":<data>}` as JSON, or that compressed with zstd. The first bytes
 * tell the two apart: `{`, or zstd's magic number.
 */
export interface Envelope {
  readonly version: number
  readonly data: unknown
}

const envelope = z.object({ v: z.int().positive(), d: z.unknown() })

/** What a value of at most 1 MiB may unfold to; a compressed fact beyond that is damage or malice. */
const unfoldedBytes = 64 * 1_048_576

/** What is shorter stays as it is: some bytes fewer are not worth a quarter of a millisecond of the thread that serves. */
const worthCompressing = 512

export function encodeEnvelope({ version, data }: Envelope, compress: boolean): Uint8Array {
  const json = Buffer.from(JSON.stringify({ v: version, d: data }))
  return compress && json.length >= worthCompressing ? zstdCompressSync(json) : json
}

/** Throws FACT_DAMAGED where the bytes are no envelope. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  try {
    const json = isZstd(bytes) ? zstdDecompressSync(bytes, { maxOutputLength: unfoldedBytes }) : bytes
    const { v, d } = envelope.parse(JSON.parse(decoder.decode(json)))
    return { version: v, data: d }
  } catch (error) {
    throw new CodedError('FACT_DAMAGED', 'it is neither JSON nor zstd-compressed JSON', { cause: error })
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function isZstd(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd
}
