import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDirectWriter } from './direct.ts'
import { writeTemporary } from './temporary.ts'

const mebibyte = 1_048_576
/** Memory as a disk can take it, and the same one byte further on, as it cannot. */
const memory: WebAssembly.Memory = Reflect.construct(WebAssembly.Memory, [{ initial: 33, maximum: 33 }])
const aligned = Buffer.from(memory.buffer, 0, mebibyte)
const unaligned = Buffer.from(memory.buffer, mebibyte + 1, mebibyte)

async function* pieces(bytes: Buffer, lengths: readonly number[], through: readonly Buffer[]) {
  let at = 0
  for (const [number, length] of lengths.entries()) {
    const piece = (through[number % through.length] ?? aligned).subarray(0, length)
    bytes.copy(piece, 0, at)
    at += length
    yield piece
  }
}

// Where temporary files lie may be memory, which has no such way; where this stands is a disk most of the time.
for (const parent of [tmpdir(), import.meta.dirname])
  test(`[B2] what is written past the system's memory is what was given, of any length and from any memory (${parent === tmpdir() ? 'temporary folder' : 'here'})`, async () => {
    const folder = await mkdtemp(join(parent, '.hocket-direct-'))
    try {
      for (const lengths of [
        [],
        [1],
        [4_096],
        [4_095],
        [mebibyte, mebibyte, 777],
        [mebibyte, 5_000, mebibyte, 3],
        [777, mebibyte, mebibyte],
        [mebibyte - 4_096, mebibyte, 12_288],
      ])
        for (const through of [[aligned], [unaligned], [aligned, unaligned]]) {
          const bytes = randomBytes(lengths.reduce((sum, length) => sum + length, 0))
          const source = pieces(bytes, lengths, through)
          const { path, digest } = await writeTemporary(folder, source, undefined, openDirectWriter)
          assert.ok((await readFile(path)).equals(bytes), String(lengths))
          assert.equal(digest.sums.size, bytes.length)
          await rm(path)
        }
      const failing = (async function* () {
        yield aligned
        throw new Error('the node has gone')
      })()
      await assert.rejects(writeTemporary(folder, failing, undefined, openDirectWriter), /has gone/)
      assert.deepEqual(await readdir(folder), [])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
