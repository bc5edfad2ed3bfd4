import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { afterSilence } from './patience.ts'

function beBusy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('[N3] silence is noticed when its time is over', async () => {
  const startedAt = performance.now()
  await new Promise<void>((resolve) => afterSilence(100, resolve))
  assert.ok(performance.now() - startedAt >= 99)
})

test('[N3] what has come while our own thread was busy is heard before anybody is given up', async () => {
  await using folder = await temporaryFolder('patience')
  const answered = join(folder.path, 'answered')
  const other = spawn(process.execPath, [
    '--eval',
    `process.stdin.once('data', () => process.stdout.write('here', () => fs.writeFileSync(process.argv[1], '')))`,
    answered,
  ])
  try {
    other.stdin.write('are you there?')
    const given = new Promise((resolve) => {
      const heard = afterSilence(200, () => resolve('given up'))
      other.stdout.once('data', () => {
        heard()
        resolve('heard')
      })
    })
    // It answers meanwhile, and is out of time when we can listen again.
    beBusy(400)
    for (let tries = 0; tries < 2_000 && !existsSync(answered); tries += 1) beBusy(10)
    assert.equal(await given, 'heard')
  } finally {
    other.kill()
    await once(other, 'close')
  }
})

test('[N3] the time for which our own thread was busy is given back, once', async () => {
  const startedAt = performance.now()
  const late = new Promise<number>((resolve) =>
    afterSilence(200, () => resolve(performance.now() - startedAt)),
  )
  beBusy(400)
  const after = await late
  assert.ok(after >= 590, `given up after ${after} ms`)
})
