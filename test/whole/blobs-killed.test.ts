import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDiskBlobs } from '../../src/blobs/disk.ts'
import { sweepTemporary } from '../../src/blobs/temporary.ts'
import { filesUnder, noise, openTestBlobs, streamOf, until } from '../../src/blobs/test-support.ts'
import { isCoded } from '../../src/protocol/errors.ts'

/** Runs `body` in a process of its own, with `blobs` (of `folder`) and `noise` at hand. */
function runApart(folder: string, body: string, shell = 'exec "$0" "$@"'): ChildProcess {
  const program = `
    const { openDiskBlobs } = await import(${JSON.stringify(new URL('../../src/blobs/disk.ts', import.meta.url).href)})
    const { randomBytes: noise } = await import('node:crypto')
    const blobs = await openDiskBlobs(${JSON.stringify(folder)}, { cacheBytes: 1, otherCopies: () => [], report() {} })
    ${body}`
  const node = [process.execPath, '--input-type=module', '--eval', program]
  return spawn('bash', ['-c', shell, ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('[B2] a process killed in the middle of a put leaves only what the next start sweeps away', async () => {
  await using context = await openTestBlobs()
  const child = runApart(
    context.folder,
    `await blobs.put((async function* () {
      for (;;) { yield noise(10_000); await new Promise((resolve) => setTimeout(resolve, 1)) }
    })())`,
  )
  const temporary = join(context.folder, 'blobs', 'tmp')
  await until(async () => (await filesUnder(temporary).catch(() => [])).length > 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal((await filesUnder(context.folder)).length, 1)
  await sweepTemporary(context.folder)
  assert.deepEqual(await filesUnder(context.folder), [])
  const { hash } = await context.blobs.put(streamOf(noise(1_000)))
  assert.equal(await context.blobs.verify(hash), 'sound')
})

test('[B2] whenever a process is killed, what it acknowledged is there and all that is there is sound', async () => {
  await using context = await openTestBlobs()
  for (const afterMs of [0, 3, 9, 17, 31]) {
    const child = runApart(
      context.folder,
      'for (;;) console.log((await blobs.put((async function* () { yield noise(30_000) })())).hash)',
    )
    let acknowledged = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      acknowledged += text
    })
    await until(() => acknowledged.length > 0)
    await sleep(afterMs)
    child.kill('SIGKILL')
    await once(child, 'close')
    await sweepTemporary(context.folder)
    for (const line of acknowledged.split('\n').slice(0, -1))
      assert.equal(await context.blobs.verify(line), 'sound')
    for await (const { hash } of context.blobs.list()) assert.equal(await context.blobs.verify(hash), 'sound')
  }
})

test('a full disk is a coded error, and what was half written is removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-full-'))
  const program = `
    const code = (promise) => promise.then(() => 'kept', (error) => error.code)
    const first = await code(blobs.put((async function* () { yield noise(10_000) })()))
    const second = await code(blobs.put((async function* () { for (;;) yield noise(100_000) })()))
    console.log(first, second)
    await blobs[Symbol.asyncDispose]()`
  // As root a small file system fills up; without the right to mount one, the kernel's limit on the size of files.
  const mounted = mount(folder)
  try {
    const child = runApart(
      folder,
      program,
      mounted ? undefined : 'ulimit -f 512; trap "" XFSZ; exec "$0" "$@"',
    )
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await once(child, 'close')
    assert.equal(said.trim(), 'kept DISK_FULL')
    assert.equal((await filesUnder(join(folder, 'blobs'))).length, 1)
    if (!mounted) return
    await using blobs = await openDiskBlobs(folder, {
      cacheBytes: 1,
      otherCopies: () => [],
      report: () => {},
    })
    await assert.rejects(blobs.put(streamOf(noise(10)), { size: 10 }), (error) => isCoded(error, 'DISK_FULL'))
  } finally {
    if (mounted) execFileSync('umount', [folder])
    await rm(folder, { recursive: true, force: true })
  }
})

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'hocket-test', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('a data folder that cannot be written to is a coded error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-read-only-'))
  const readOnly = (error: unknown) => isCoded(error, 'DISK_READ_ONLY')
  const mounted = mount(folder)
  try {
    await mkdir(join(folder, 'blobs'))
    // Rights mean nothing to root, a read-only mount does; for others it is the other way round.
    if (mounted) execFileSync('mount', ['-o', 'remount,ro', folder])
    else await chmod(join(folder, 'blobs'), 0o500)
    await using blobs = await openDiskBlobs(folder, {
      cacheBytes: 1,
      otherCopies: () => [],
      report: () => {},
    })
    await assert.rejects(blobs.put(streamOf(noise(10))), readOnly)
    await assert.rejects(access(join(folder, 'blobs', 'tmp')))
  } finally {
    if (mounted) execFileSync('umount', [folder])
    await rm(folder, { recursive: true, force: true })
  }
})
