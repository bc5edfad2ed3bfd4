import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { sizeOfZip, writeZip, type ZipEntry } from './zip.ts'

const run = promisify(execFile)
let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hocket-zip-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** What another program reads in the directory, having compared all checksums of those that it was told to read. */
const listing = z.array(z.object({ name: z.string(), size: z.number(), year: z.number() }))
const program = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
if sys.argv[2] == "all": assert archive.testzip() is None
print(json.dumps([
  {"name": e.filename, "size": e.file_size, "year": e.date_time[0]} for e in archive.infolist()
]))`

async function list(path: string, read: 'all' | 'directory') {
  const { stdout } = await run('python3', ['-c', program, path, read], { maxBuffer: 64 * 1_024 * 1_024 })
  return listing.parse(JSON.parse(stdout))
}

async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes, (chunk) => Buffer.from(chunk)))
}

test('another program reads what was written, and its length was known', async () => {
  const texts = new Map([
    ['Ana/01 - Señorita 夜.mp3', 'one and two'],
    ['Ana/empty.txt', ''],
    ['😀.txt', 'three'],
  ])
  const entries = [...texts].map(([name, text], at) => ({
    name,
    size: text.length,
    modifiedAt: at === 0 ? Date.UTC(2024, 1, 29, 23, 59, 59) : undefined,
  }))
  async function* read({ name }: ZipEntry) {
    // In pieces of one buffer that is used again, as those who read files do.
    const piece = new Uint8Array(1)
    for (const byte of Buffer.from(texts.get(name) ?? '')) {
      piece[0] = byte
      yield piece
    }
  }
  const bytes = await gather(writeZip(entries, read))
  assert.equal(bytes.length, sizeOfZip(entries))
  const path = join(folder, 'small.zip')
  await writeFile(path, bytes)
  const found = await list(path, 'all')
  assert.deepEqual(
    found.map(({ name, size, year }) => [name, size, year]),
    entries.map(({ name, size }, at) => [name, size, at === 0 ? 2024 : 1980]),
  )
})

test('more files than 16 bits count', async () => {
  const entries = Array.from({ length: 65_540 }, (_, at) => ({ name: String(at), size: 0 }))
  const bytes = await gather(writeZip(entries, async function* () {}))
  assert.equal(bytes.length, sizeOfZip(entries))
  const path = join(folder, 'many.zip')
  await writeFile(path, bytes)
  const found = await list(path, 'directory')
  assert.deepEqual([found.length, found.at(-1)?.name], [65_540, '65539'])
})

test('a file larger than 32 bits count, and one behind it', async () => {
  const large = 0x1_0000_0000 + 5
  const entries = [
    { name: 'large.wav', size: large },
    { name: 'small.wav', size: 3 },
  ]
  // Nothing of it stands in memory or, where the file has holes, on the disk.
  const zeros = new Uint8Array(64 * 1_024 * 1_024)
  async function* read({ size }: ZipEntry) {
    for (let left = size; left > 0; left -= zeros.length) yield zeros.subarray(0, left)
  }
  const path = join(folder, 'large.zip')
  let position = 0
  for await (const chunk of writeZip(entries, read)) {
    if (chunk.length < zeros.length) await append(path, chunk, position)
    position += chunk.length
  }
  assert.equal(position, sizeOfZip(entries))
  const found = await list(path, 'directory')
  assert.deepEqual(
    found.map(({ name, size }) => [name, size]),
    [
      ['large.wav', large],
      ['small.wav', 3],
    ],
  )
  // The second one is found where the directory says, behind all of the first.
  const { stdout } = await run('python3', [
    '-c',
    'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read("small.wav"))',
    path,
  ])
  assert.equal(stdout.trim(), String.raw`b'\x00\x00\x00'`)
})

async function append(path: string, chunk: Uint8Array, start: number): Promise<void> {
  const stream = createWriteStream(path, { start, flags: start === 0 ? 'w' : 'r+' })
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject).end(Buffer.from(chunk), () => resolve())
  })
}

test('an entry that has not the bytes it was said to have makes no zip', async () => {
  for (const size of [2, 4]) {
    const zip = gather(
      writeZip([{ name: 'three', size }], async function* () {
        yield Buffer.from('abc')
      }),
    )
    await assert.rejects(zip, /three has not the \d bytes/)
  }
})

test('who goes away in the midst of an entry ends its reading', async () => {
  let ended = false
  async function* read() {
    try {
      for (;;) yield Buffer.alloc(10)
    } finally {
      ended = true
    }
  }
  let pieces = 0
  for await (const _piece of writeZip([{ name: 'endless', size: 1_000_000 }], read)) {
    pieces += 1
    if (pieces === 5) break
  }
  assert.ok(ended)
})
