import { read } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { CodedError } from '../protocol/errors.ts'
import type { BlobHash } from '../protocol/ids.ts'
import type { Loan, Range, Reader } from './blobs.ts'
import type { Borrowed } from './descriptors.ts'
import { blockSize, type Sums } from './digest.ts'
import { diskError } from './disk-errors.ts'
import { blocksPerPage, type Page, type Pages, pageSize } from './pages.ts'
import type { Scratch } from './scratch.ts'

const readInto = promisify(read)
/**
 * A scan reads so many blocks at once: more would cost a little less, and listeners wait for as long as it takes to compare
 * and encrypt them.
 */
const scanBlocks = 8
/** Memory for that. */
export const scanBytes = scanBlocks * blockSize
const nothing: Loan = { bytes: new Uint8Array(0), release: () => {} }

/**
 * A reader whose every block is checked against `sums`. `explain` names the error of one that does not match. `scratch`
 * has pieces of `scanBytes`.
 */
export function createVerifiedReader(
  borrowed: Borrowed,
  hash: BlobHash,
  sums: Sums,
  pages: Pages,
  scratch: Scratch,
  explain: () => Promise<CodedError>,
): Reader {
  /** Reads the blocks `first` up to `end` of the file into `buffer`; answers how many from the first are sound. */
  async function readBlocks(buffer: Buffer, first: number, end: number): Promise<number> {
    const length = Math.min(end * blockSize, sums.size) - first * blockSize
    const bytesRead = await readAt(borrowed, buffer, length, first * blockSize)
    let block = first
    for (; block < end; block += 1) {
      const start = (block - first) * blockSize
      const stop = Math.min(start + blockSize, length)
      if (stop > bytesRead || crc32(buffer.subarray(start, stop)) !== sums.blocks[block]) break
    }
    borrowed.file.shortcuts?.matched(first, block)
    return block - first
  }

  /**
   * Makes the blocks `from` up to `to` of the page sound, as far as they are. Only what is missing is read: a block
   * that is sound may be lent to someone at this moment.
   */
  async function fill(page: Page, index: number, from: number, to: number): Promise<void> {
    for (;;) {
      while (page.filling) await page.filling.catch(() => {})
      const first = soundUntil(page, from, to)
      if (first === to) return
      let end = first + 1
      while (end < to && !page.sound[end]) end += 1
      const base = index * blocksPerPage
      page.filling = readBlocks(page.buffer.subarray(first * blockSize), base + first, base + end)
        .then((count) => void page.sound.fill(true, first, first + count))
        .finally(() => {
          page.filling = undefined
        })
      await page.filling
      if (!page.sound[end - 1]) return
    }
  }

  async function lendFromPage(
    page: Page,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Loan> {
    const index = Math.floor(offset / pageSize)
    const start = offset - index * pageSize
    const end = Math.min(start + length, pageSize)
    const from = Math.floor(start / blockSize)
    const to = Math.ceil(end / blockSize)
    try {
      let sound = soundUntil(page, from, to)
      if (sound < to) {
        await fill(page, index, from, to)
        signal?.throwIfAborted()
        sound = soundUntil(page, from, to)
      }
      if (sound === from) throw await explain()
      const bytes = page.buffer.subarray(start, Math.min(end, sound * blockSize))
      return { bytes, release: once(page.release) }
    } catch (error) {
      page.release()
      throw error
    }
  }

  /** All pages are lent to listeners who take their time: one block of memory that is nobody else's. */
  async function lendBlock(offset: number, length: number, signal?: AbortSignal): Promise<Loan> {
    const block = Math.floor(offset / blockSize)
    const buffer = Buffer.allocUnsafeSlow(blockSize)
    const sound = await readBlocks(buffer, block, block + 1)
    signal?.throwIfAborted()
    if (sound === 0) throw await explain()
    const start = offset - block * blockSize
    return { bytes: buffer.subarray(start, Math.min(start + length, blockSize)), release: () => {} }
  }

  async function lend(offset: number, length: number, signal?: AbortSignal): Promise<Loan> {
    signal?.throwIfAborted()
    const wanted = Math.min(length, sums.size - offset)
    if (wanted <= 0) return nothing
    const page = pages.borrow(hash, Math.floor(offset / pageSize))
    return page ? lendFromPage(page, offset, wanted, signal) : lendBlock(offset, wanted, signal)
  }

  /** A piece is there until the next one is asked for. */
  async function* scan({ start, end }: Range, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const stop = Math.min(end, sums.size)
    if (start >= stop) return
    const last = Math.ceil(stop / blockSize)
    const buffer = scratch.take()
    try {
      for (let offset = start; offset < stop; ) {
        signal?.throwIfAborted()
        const first = Math.floor(offset / blockSize)
        const sound = await readBlocks(buffer, first, Math.min(first + scanBlocks, last))
        signal?.throwIfAborted()
        if (sound === 0) throw await explain()
        const until = Math.min((first + sound) * blockSize, stop)
        yield buffer.subarray(offset - first * blockSize, until - first * blockSize)
        offset = until
      }
    } finally {
      scratch.give(buffer)
    }
  }

  return finishReader(borrowed, sums.size, true, lend, scan)
}

/**
 * A reader of a file in place whose content nobody has hashed yet. After each read the file must still have the size
 * and time that it was opened with, else `onChange` is told and it throws FILE_CHANGED.
 */
export function createUnverifiedReader(borrowed: Borrowed, onChange: () => void): Reader {
  const { file } = borrowed

  async function lend(offset: number, length: number, signal?: AbortSignal): Promise<Loan> {
    signal?.throwIfAborted()
    const wanted = Math.min(length, file.stats.size - offset, pageSize)
    if (wanted <= 0) return nothing
    const buffer = Buffer.allocUnsafeSlow(wanted)
    const bytesRead = await readAt(borrowed, buffer, wanted, offset)
    const now = await file.handle.stat()
    signal?.throwIfAborted()
    if (bytesRead < wanted || now.size !== file.stats.size || now.mtimeMs !== file.stats.mtimeMs) {
      onChange()
      throw new CodedError('FILE_CHANGED')
    }
    return { bytes: buffer, release: () => {} }
  }

  return finishReader(borrowed, file.stats.size, false, lend, (range, signal) =>
    chunksOf(lend, range, signal),
  )
}

function finishReader(
  borrowed: Borrowed,
  size: number,
  verified: boolean,
  lend: Reader['lend'],
  scan: Reader['scan'],
): Reader {
  let open = true
  return {
    size,
    verified,
    path: borrowed.file.path,
    lend(offset, length, signal) {
      if (open) return lend(offset, length, signal)
      return Promise.reject(new Error('the reader has been disposed of'))
    },
    chunks: (range = { start: 0, end: size }, signal) => chunksOf(lend, range, signal),
    scan,
    shortcut: (offset, length) => (open && verified && borrowed.file.shortcuts?.take(offset, length)) || null,
    [Symbol.dispose]() {
      if (open) borrowed.release()
      open = false
    },
  }
}

async function* chunksOf(lend: Reader['lend'], { start, end }: Range, signal?: AbortSignal) {
  for (let offset = start; offset < end; ) {
    const { bytes, release } = await lend(offset, end - offset, signal)
    try {
      if (bytes.length === 0) return
      yield bytes
    } finally {
      release()
    }
    offset += bytes.length
  }
}

/** Reads `length` bytes at `position`, or fewer at the file's end. The file stays open until the read has ended. */
async function readAt(borrowed: Borrowed, buffer: Buffer, length: number, position: number): Promise<number> {
  borrowed.retain()
  try {
    let done = 0
    while (done < length) {
      const { bytesRead } = await readInto(
        borrowed.file.handle.fd,
        buffer,
        done,
        length - done,
        position + done,
      )
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  } catch (error) {
    throw diskError(error)
  } finally {
    borrowed.release()
  }
}

/** The first of the page's blocks `from` up to `to` that is not sound, or `to`. */
function soundUntil(page: Page, from: number, to: number): number {
  let block = from
  while (block < to && page.sound[block]) block += 1
  return block
}

/** A second release must not take the page from someone else who borrowed it since. */
function once(release: () => void): () => void {
  let held = true
  return () => {
    if (held) release()
    held = false
  }
}
