import { Header } from 'tar'
import { CodedError } from '../../protocol/errors.ts'

/** tar's unit: headers are one block long, and content is filled up to whole blocks. */
const blockBytes = 512

export interface ArchiveEntry {
  readonly path: string
  readonly size: number
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** The bytes of a tar archive (ustar) with these entries, in order. An entry's content must be of its size. */
export async function* writeArchive(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  for await (const { path, size, content } of entries) {
    yield header(path, size)
    let written = 0
    for await (const bytes of content) {
      written += bytes.length
      yield bytes
    }
    if (written !== size) throw new Error(`${path} has ${written} bytes instead of ${size}`)
    yield new Uint8Array(padding(size))
  }
  yield new Uint8Array(2 * blockBytes)
}

function header(path: string, size: number): Uint8Array {
  const block = Buffer.alloc(blockBytes)
  const needsMore = new Header({ path, size, mode: 0o600, type: 'File', mtime: new Date() }).encode(block, 0)
  if (needsMore) throw new Error(`${path} does not fit a header`)
  return block
}

const padding = (size: number) => (blockBytes - (size % blockBytes)) % blockBytes

/**
 * The entries of a tar archive. Each one's content must be read to its end, or left, before the next is asked for.
 * Throws BACKUP_DAMAGED where the bytes are no archive or end too early.
 */
export async function* readArchive(source: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry> {
  await using bytes = createByteReader(source)
  for (;;) {
    const {
      nullBlock,
      cksumValid,
      path,
      size = 0,
    } = parseHeader(Buffer.from(await bytes.exactly(blockBytes)))
    if (nullBlock) return
    if (!cksumValid || path === undefined || size < 0) throw damaged('this is not an archive of Hocket')
    const end = bytes.position + size
    yield { path, size, content: content(bytes, end) }
    for await (const _ of content(bytes, end)) {
      // What the caller has left of it.
    }
    await bytes.exactly(padding(size))
  }
}

function parseHeader(block: Buffer): Header {
  try {
    return new Header(block, 0)
  } catch (error) {
    throw damaged('this is not an archive of Hocket', error)
  }
}

async function* content(bytes: ByteReader, end: number): AsyncGenerator<Uint8Array> {
  while (bytes.position < end) yield await bytes.some(end - bytes.position)
}

export const damaged = (detail: string, cause?: unknown) =>
  new CodedError('BACKUP_DAMAGED', detail, { cause })

interface ByteReader extends AsyncDisposable {
  readonly position: number
  /** One to `most` bytes, as they come. */
  some(most: number): Promise<Uint8Array>
  exactly(count: number): Promise<Uint8Array>
}

function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let waiting: Uint8Array = new Uint8Array(0)
  let position = 0
  const some = async (most: number) => {
    while (waiting.length === 0) {
      const next = await iterator.next()
      if (next.done === true) throw damaged('it ends too early')
      waiting = next.value
    }
    const taken = waiting.subarray(0, most)
    waiting = waiting.subarray(taken.length)
    position += taken.length
    return taken
  }
  return {
    get position() {
      return position
    },
    some,
    async exactly(count) {
      const whole = Buffer.alloc(count)
      for (let filled = 0; filled < count; ) {
        const part = await some(count - filled)
        whole.set(part, filled)
        filled += part.length
      }
      return whole
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.()
    },
  }
}
