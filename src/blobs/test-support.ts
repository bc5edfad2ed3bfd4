import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobEvent, OtherCopies, Reader } from './blobs.ts'
import { type DiskBlobs, openDiskBlobs } from './disk.ts'

/** What the tests of blobs share: a data folder of their own, bytes, and ways to damage them. */
export interface TestBlobs extends AsyncDisposable {
  readonly folder: string
  readonly blobs: DiskBlobs
  readonly events: BlobEvent[]
  /** The same folder as another process would find it: nothing in memory. */
  reopen(): Promise<void>
}

export async function openTestBlobs(options: { otherCopies?: OtherCopies; cacheBytes?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-blobs-'))
  const events: BlobEvent[] = []
  const start = () =>
    openDiskBlobs(folder, {
      cacheBytes: options.cacheBytes ?? 4 * 1024 * 1024,
      otherCopies: options.otherCopies ?? (() => []),
      report: (event) => events.push(event),
    })
  const test = {
    folder,
    events,
    blobs: await start(),
    async reopen() {
      await test.blobs[Symbol.asyncDispose]()
      test.blobs = await start()
    },
    async [Symbol.asyncDispose]() {
      await test.blobs[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return test satisfies TestBlobs
}

/** `bytes` as a stream in pieces of `pieceBytes`. */
export async function* streamOf(bytes: Uint8Array, pieceBytes = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export function noise(size: number): Buffer {
  return randomBytes(size)
}

/** All bytes of a range of `reader`. */
export async function collectBytes(reader: Reader, start = 0, end = reader.size): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of reader.chunks({ start, end })) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** Turns over the bits of one byte of a file, as a dying disk does: size stays, and `modifiedAt` where it is given. */
export async function flipByte(path: string, position: number, modifiedAt?: Date): Promise<void> {
  await using file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, position)
  await file.write(Buffer.of((byte[0] ?? 0) ^ 0xff), 0, 1, position)
  if (modifiedAt) await file.utimes(modifiedAt, modifiedAt)
}

/** Waits until `condition` holds; for what happens in the background. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 60 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Every file under `folder`, as paths relative to it. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}
