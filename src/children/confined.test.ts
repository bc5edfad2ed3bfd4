import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { compileConfined, startConfined } from './confined.ts'

test('[S1] a confined process reads, and writes nothing, not even where it finds itself compiled', async () => {
  await using folder = await temporaryFolder('confined')
  // A check has done so; where this file runs by itself, it lies in the temporary folder.
  enableCompileCache()
  const cache = getCompileCacheDir()
  assert.ok(cache !== undefined)
  const program = new URL('confined.fixture.ts', import.meta.url)
  compileConfined([program])

  const others = join(folder.path, 'others')
  await writeFile(others, 'theirs')
  const own = join(dirname(cache), 'confined', 'a file')
  const child = startConfined(program, { niceness: 5 })
  try {
    child.send({ others, own })
    const [said] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) })
    const denied = 'ERR_ACCESS_DENIED'
    assert.deepEqual(said, {
      became: {
        read: 'done',
        write: denied,
        writeBeside: denied,
        writeOwn: 'EFBIG',
        moveAway: denied,
        start: denied,
        thread: denied,
      },
      compiled: true,
    })
    assert.equal(await readFile(others, 'utf8'), 'theirs')
    assert.equal(await readFile(own, 'utf8'), '')
  } finally {
    child.kill('SIGKILL')
  }
})
