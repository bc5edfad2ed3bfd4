import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

test('a node does not load the client for the web that comes with Node and nobody here uses', async () => {
  const program = `
    await import(${JSON.stringify(new URL('./node.ts', import.meta.url).href)})
    console.log(JSON.stringify(process.moduleLoadList))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  const loaded: unknown = JSON.parse(stdout)
  assert.ok(Array.isArray(loaded))
  assert.ok(loaded.includes('NativeModule http'))
  // Whoever imports node:http as a module reads all that it exports, and loads it (ADR 0252).
  assert.ok(!loaded.includes('NativeModule internal/deps/undici/undici'))
})
