import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

test('the thread that fetches copies starts without what checks answers, which is most of what it would load', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      load(url, context, next) {
        loaded.push(url)
        return next(url, context)
      },
    })
    await import(${JSON.stringify(new URL('./fetch-work.ts', import.meta.url).href)})
    console.log(JSON.stringify(loaded))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  const loaded: unknown = JSON.parse(stdout)
  assert.ok(Array.isArray(loaded))
  assert.ok(loaded.some((url) => String(url).endsWith('/src/registry/bulk.ts')))
  assert.deepEqual(
    loaded.filter((url) => String(url).includes('/node_modules/')),
    [],
  )
})
