import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../test/harness/folder.ts'
import { together } from './together.ts'

test('every test runs, with the hooks of its own file around it and no other, and one that fails is told', async () => {
  await using folder = await temporaryFolder('together')
  await mkdir(join(folder.path, 'src'))
  const names = Array.from({ length: 20 }, (_, number) => `file-${number}`)
  for (const name of names) {
    const text = `
      import { before, after, test } from 'node:test'
      before(() => console.log('<${name}'))
      after(() => console.log('${name}>'))
      test('of ${name}', () => {${name === 'file-7' ? "throw new Error('as it should')" : ''}})`
    await writeFile(join(folder.path, 'src', `${name}.test.mjs`), text)
  }
  const order = { long: ['src/file-9.test.mjs'], waiting: ['src/file-0.test.mjs', 'src/file-7.test.mjs'] }
  const given = together(folder.path, ['src/*.test.mjs'], 3, join(folder.path, 'processes'), order)
  assert.equal(given.length, 3)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', `--test-concurrency=${given.length}`, ...given],
    { cwd: folder.path, encoding: 'utf8', env },
  )
  assert.equal(status, 1)
  const told = [...stdout.matchAll(/^ *(ok|not ok) \d+ - of (file-\d+)$/gm)]
  assert.deepEqual(told.map(([, , name]) => name).toSorted(), names.toSorted(), 'each once')
  assert.deepEqual(
    told.flatMap(([, how, name]) => (how === 'ok' ? [] : [name])),
    ['file-7'],
  )
  const hooks = [...stdout.matchAll(/^# (?:<(file-\d+)|(file-\d+)>)$/gm)].map(
    ([, begun, ended]) => begun ?? ended,
  )
  assert.equal(hooks.length, 2 * names.length)
  for (let at = 0; at < hooks.length; at += 2) assert.equal(hooks[at], hooks[at + 1])
})

test('an order that names a file which is not there says so, and starts nothing', async () => {
  await using folder = await temporaryFolder('together')
  const order = { long: ['src/gone.test.mjs'], waiting: [] }
  assert.throws(() => together(folder.path, ['src/*'], 3, join(folder.path, 'processes'), order), /src\/gone/)
})
