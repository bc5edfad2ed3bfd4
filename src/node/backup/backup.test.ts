import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { openDiskBlobs } from '../../blobs/disk.ts'
import { libraries } from '../../catalog/facts.ts'
import { library as librarySchema } from '../../protocol/facts/catalog.ts'
import { openSqliteStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { readArchive, writeArchive } from './archive.ts'
import { backUp } from './backup.ts'
import { restore } from './restore.ts'

const { signal } = new AbortController()
const blobOptions = { cacheBytes: 1 << 20, otherCopies: () => [], report: () => {} }

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hocket-backup-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function openInstance(data: string) {
  await mkdir(join(data, 'secrets'), { recursive: true })
  const store = await openSqliteStore(join(data, 'store.db'))
  const blobs = await openDiskBlobs(data, blobOptions)
  return {
    store,
    blobs,
    backUp: () =>
      backUp(
        {
          store,
          blobs: {
            list: (until) => blobs.list(undefined, until),
            open: (hash, until) => blobs.open(hash, until),
          },
          data,
          version: '1.2.3',
        },
        signal,
      ),
    async [Symbol.asyncDispose]() {
      await blobs[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

async function fill(store: Store, count: number): Promise<void> {
  for (let from = 0; from < count; from += 100) {
    const writes = Array.from({ length: 100 }, (_, n) => ({
      key: `facts/${String(from + n).padStart(6, '0')}`,
      value: Buffer.from(`${from + n} ¡música!`),
    }))
    await store.commit({ conditions: [], writes })
  }
}

async function contentOf(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let after: string | undefined
  for (;;) {
    const page = await store.list('', after === undefined ? {} : { after })
    for (const { key, value } of page.entries) found.set(key, Buffer.from(value).toString('hex'))
    after = page.entries.at(-1)?.key
    if (!page.more) return found
  }
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const bytes of source) pieces.push(Buffer.from(bytes))
  return Buffer.concat(pieces)
}

test('a restored instance has the same facts, secrets and blobs', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  const audio = [randomBytes(3), randomBytes(700_000), Buffer.alloc(0)]
  let facts: Map<string, string>
  {
    await using source = await openInstance(join(folder.path, 'source'))
    await fill(source.store, 1_000)
    await writeFile(join(folder.path, 'source', 'secrets', 'device-key'), 'the key')
    for (const bytes of audio) await source.blobs.put(once(bytes))
    facts = await contentOf(source.store)
    await writeFile(file, source.backUp())
  }
  const data = join(folder.path, 'restored')
  let read = 0
  const restored = await restore(
    file,
    data,
    (bytes) => {
      read = bytes
    },
    signal,
  )
  assert.deepEqual([restored.facts, restored.blobs, restored.damagedBlobs], [1_000, 3, 0])
  assert.equal(restored.manifest.version, '1.2.3')
  assert.equal(read, (await stat(file)).size)
  await using copy = await openInstance(data)
  assert.deepEqual(await contentOf(copy.store), facts)
  assert.equal(await readFile(join(data, 'secrets', 'device-key'), 'utf8'), 'the key')
  assert.equal((await stat(join(data, 'secrets', 'device-key'))).mode & 0o777, 0o600)
  for (const bytes of audio) {
    using reader = await copy.blobs.open(createHash('sha256').update(bytes).digest('hex'))
    assert.deepEqual(await collect(reader.chunks()), bytes)
  }
})

test('a backup that is made while facts change holds those of one moment', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  await using source = await openInstance(join(folder.path, 'source'))
  await fill(source.store, 1_000)
  // Each round changes the first and the last key together, and moves one other: they must agree in the restored.
  let round = 0
  const change = async () => {
    round += 1
    const value = Buffer.from(String(round))
    await source.store.commit({
      conditions: [],
      writes: [
        { key: 'facts/', value },
        { key: 'facts/~', value },
        { key: `facts/000${String(round % 900).padStart(3, '0')}`, value: null },
      ],
    })
  }
  await change()
  const stream = async function* () {
    for await (const bytes of source.backUp()) {
      await change()
      yield bytes
    }
  }
  await writeFile(file, stream())
  const data = join(folder.path, 'restored')
  await restore(file, data, () => {}, signal)
  await using copy = await openInstance(data)
  const facts = await contentOf(copy.store)
  assert.ok(facts.has('facts/'))
  assert.equal(facts.get('facts/'), facts.get('facts/~'))
  const rounds = Number(Buffer.from(facts.get('facts/') ?? '', 'hex').toString())
  assert.equal(facts.size, 1_000 - rounds + 2, 'as many facts were deleted as there had been rounds')
})

test('a history that is compacted meanwhile is listed anew', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  await using source = await openInstance(join(folder.path, 'source'))
  await fill(source.store, 1_000)
  let pieces = 0
  const stream = async function* () {
    for await (const bytes of source.backUp()) {
      pieces += 1
      if (pieces === 8) {
        await source.store.commit({ conditions: [], writes: [{ key: 'facts/000000', value: null }] })
        const { revision } = await source.store.commit({
          conditions: [],
          writes: [{ key: 'facts/999999', value: Buffer.from('new') }],
        })
        await source.store.compact(revision)
      }
      yield bytes
    }
  }
  await writeFile(file, stream())
  const data = join(folder.path, 'restored')
  await restore(file, data, () => {}, signal)
  await using copy = await openInstance(data)
  assert.deepEqual(await contentOf(copy.store), await contentOf(source.store))
})

test('[B1] a blob that is damaged on the disk is not restored, and the rest is', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  const [good, bad] = [randomBytes(200_000), randomBytes(200_000)]
  {
    await using source = await openInstance(join(folder.path, 'source'))
    await source.blobs.put(once(good))
    const { hash } = await source.blobs.put(once(bad))
    const path = join(folder.path, 'source', 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash)
    bad[150_000] = 255 - (bad[150_000] ?? 0)
    await writeFile(path, bad)
    await writeFile(file, source.backUp())
  }
  const restored = await restore(file, join(folder.path, 'restored'), () => {}, signal)
  assert.deepEqual([restored.blobs, restored.damagedBlobs], [1, 1])
})

test('[S4] what is no whole backup is refused, and nothing is restored', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  const data = join(folder.path, 'restored')
  const bytes = await (async () => {
    await using source = await openInstance(join(folder.path, 'source'))
    await fill(source.store, 300)
    await source.blobs.put(once(randomBytes(5_000)))
    return await collect(source.backUp())
  })()
  const refused = async (content: Uint8Array, code: string) => {
    await writeFile(file, content)
    await assert.rejects(
      restore(file, data, () => {}, signal),
      { code },
    )
    assert.deepEqual(
      (await readdir(data)).filter((name) => name !== 'lock.db'),
      [],
    )
  }
  for (const length of [0, 100, 512, 600, 3_000, bytes.length - 2_000, bytes.length - 1_100]) {
    await refused(bytes.subarray(0, length), 'BACKUP_DAMAGED')
  }
  const flipped = Buffer.from(bytes)
  const inFacts = flipped.indexOf('facts/0') + 512 + 40
  flipped[inFacts] = 255 - (flipped[inFacts] ?? 0)
  await refused(flipped, 'BACKUP_DAMAGED')
  await refused(randomBytes(10_000), 'BACKUP_DAMAGED')
  await refused(
    Buffer.from(bytes.toString('latin1').replace('"format":1', '"format":9'), 'latin1'),
    'BACKUP_NEWER',
  )
  await assert.rejects(
    restore(folder.path, data, () => {}, signal),
    { code: 'BACKUP_UNREADABLE' },
  )
  await assert.rejects(
    restore(join(folder.path, 'none'), data, () => {}, signal),
    { code: 'BACKUP_UNREADABLE' },
  )

  await writeFile(file, bytes)
  await restore(file, data, () => {}, signal)
  await assert.rejects(
    restore(file, data, () => {}, signal),
    { code: 'DATA_FOLDER_NOT_EMPTY' },
  )
})

test('[S1] a name in the archive cannot lead out of the data folder', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  await using source = await openInstance(join(folder.path, 'source'))
  await writeFile(join(folder.path, 'source', 'secrets', 'device-key'), 'the key')
  const bytes = await collect(source.backUp())
  const at = bytes.indexOf('secrets/device-key')
  bytes.write('secrets/../../evil', at)
  // The header's checksum is the sum of its bytes, its own field as spaces.
  bytes.fill(' ', at + 148, at + 156)
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
  await writeFile(file, bytes)
  await assert.rejects(
    restore(file, join(folder.path, 'restored'), () => {}, signal),
    /not a name that Hocket gives/,
  )
  assert.ok(!(await readdir(folder.path)).includes('evil'))
})

test('[B4] a restore never removes blobs that lost their store, only what a killed restore has left', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  const data = join(folder.path, 'data')
  {
    await using source = await openInstance(data)
    await fill(source.store, 100)
    await source.blobs.put(once(randomBytes(5_000)))
    await writeFile(file, source.backUp())
  }
  const blobs = await readdir(join(data, 'blobs'))
  await rm(join(data, 'store.db'))
  await assert.rejects(
    restore(file, data, () => {}, signal),
    { code: 'DATA_FOLDER_NOT_EMPTY' },
  )
  assert.deepEqual(await readdir(join(data, 'blobs')), blobs)

  // Killed while it moved what it had made into place: the store, which comes last, is still in its work folder.
  const torn = join(folder.path, 'torn')
  await mkdir(join(torn, 'restore-abc'), { recursive: true })
  await mkdir(join(torn, 'blobs', 'tmp'), { recursive: true })
  await writeFile(join(torn, 'restore-abc', 'store.db'), '')
  const restored = await restore(file, torn, () => {}, signal)
  assert.deepEqual([restored.facts, restored.blobs], [100, 1])
  assert.deepEqual(
    (await readdir(torn)).filter((name) => name.startsWith('restore-')),
    [],
  )
})

test('[S4] an archive with entries that Hocket does not write, in another order or after its end, is refused', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  await using source = await openInstance(join(folder.path, 'source'))
  await fill(source.store, 500)
  const entries: { path: string; content: Buffer }[] = []
  for await (const { path, content } of readArchive(source.backUp())) {
    const pieces: Uint8Array[] = []
    for await (const piece of content) pieces.push(Buffer.from(piece))
    entries.push({ path, content: Buffer.concat(pieces) })
  }
  const extra = { path: 'etc/passwd', content: Buffer.from('root') }
  const [first, second, third, ...rest] = entries
  assert.ok(first && second && third && third.path === 'facts/1')
  const bomb = { path: 'facts/0', content: zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, ' ')) }
  const cases = [
    [first, extra, second, third, ...rest],
    [first, third, second, ...rest],
    [first, second, ...rest],
    [first, second, second, third, ...rest],
    [first, bomb, second, third, ...rest],
    [...entries, { path: `blobs/${'a'.repeat(64)}`, content: Buffer.from('more') }],
    [...entries, ...entries],
    [second, first, third, ...rest],
  ]
  for (const [index, list] of cases.entries()) {
    const archive = async function* () {
      for (const { path, content } of list) yield { path, size: content.length, content: [content] }
    }
    await writeFile(file, writeArchive(archive()))
    await assert.rejects(
      restore(file, join(folder.path, 'restored'), () => {}, signal),
      { code: 'BACKUP_DAMAGED' },
      `case ${index}`,
    )
  }
})

test('what describes a cluster is left out, its settings are kept, and folders that are here are ours again', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'backup.hocket')
  const music = join(folder.path, 'music')
  await mkdir(music)
  const node = randomUUID()
  const library = (name: string, path: string) => {
    const value = { id: randomUUID(), name, kind: 'folder', path, node, visibleTo: 'everyone', createdAt: 1 }
    return libraries.create(value.id, librarySchema.parse(value))
  }
  const facts = [
    'cluster/members/a',
    'cluster/layout/current',
    'cluster/trust/authority',
    'store/arrivals/all',
    'users/a',
  ]
  const kept = ['cluster/settings/current', 'users/a']
  const keys = async (store: Store) =>
    [...(await contentOf(store)).keys()].filter((key) => !key.startsWith('catalog/'))
  const data = join(folder.path, 'restored')
  {
    await using source = await openInstance(join(folder.path, 'source'))
    await source.store.commit({
      conditions: [],
      writes: [...facts, ...kept.slice(0, 1)].map((key) => ({ key, value: Buffer.from('x') })),
    })
    for (const operation of [library('Here', music), library('Again', music), library('Gone', '/none/such')])
      await source.store.commit(operation)
    await writeFile(file, source.backUp())
    for await (const { path, content } of readArchive(source.backUp())) {
      if (!path.startsWith('facts/')) continue
      const pieces: Uint8Array[] = []
      for await (const bytes of content) pieces.push(Buffer.from(bytes))
      assert.ok(!zstdDecompressSync(Buffer.concat(pieces)).includes('cluster/members'))
    }
  }
  await restore(file, data, () => {}, signal)
  await using copy = await openInstance(data)
  assert.deepEqual(await keys(copy.store), kept)
  const found = new Map<string, boolean>()
  for await (const { value } of libraries.walk(copy.store)) found.set(value.name, value.node === undefined)
  assert.deepEqual([found.get('Here') !== found.get('Again'), found.get('Gone')], [true, false])
})
