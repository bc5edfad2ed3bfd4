import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { LaunchError } from '../../tools/launch/run.mjs'
import { ensureServer } from '../../tools/launch/server.mjs'
import { thrift } from '../../tools/launch/thrift.mjs'

const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

test('a server that starts after it was compiled takes no types out of TypeScript', async (context) => {
  // What the person at the terminal would read; in the report of the tests it would look like a failure of theirs.
  const said: unknown[] = []
  context.mock.method(process.stderr, 'write', (text: unknown) => said.push(text) > 0)
  const cache = await mkdtemp(join(tmpdir(), 'hocket-compiled-'))
  await using _removed = { [Symbol.asyncDispose]: () => rm(cache, { recursive: true, force: true }) }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  await ensureServer(root, process.execPath, cache, env)
  const made = await readFile(join(cache, '.sources'), 'utf8')
  assert.match(made, /^[0-9a-f]{64}$/)

  // What a node loads, what its threads load, and what comes only with a first request.
  const modules = [
    'src/node/node.ts',
    'src/store/sqlite-thread.ts',
    'src/index/writer-thread.ts',
    'src/index/reader-thread.ts',
    'src/catalog/index/queries.ts',
    'src/accounts/password.ts',
  ]
  const program = `
    for (const module of ${JSON.stringify(modules.map((path) => pathToFileURL(join(root, path)).href))}) await import(module)
    console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.includes('amaro'))))`
  const { stdout } = await run(
    process.execPath,
    [...thrift.flags, '--input-type=module', '--eval', program],
    { env },
  )
  assert.equal(stdout.trim(), '[]')

  // It is done once, and again for another Node.
  const madeAt = async () => (await stat(join(cache, '.sources'))).mtimeMs
  const first = await madeAt()
  await ensureServer(root, process.execPath, cache, env)
  assert.equal(await madeAt(), first)
  await assert.rejects(ensureServer(root, join(cache, 'no-node'), cache, env), LaunchError)
  assert.match(said.join(''), /✓ Compiling the server[^✓]*✗ Compiling the server/)
})
