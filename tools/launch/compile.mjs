// @ts-check
import { globSync, readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileConfined } from '../../src/children/confined.ts'

/** Loads every module of the server, so that Node's compile cache has them. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const forTests = /\.(test|suite|fixture|check)\.ts$|\/(fixtures|testing)\/|\/test-/
const modules = globSync('src/**/*.ts', { cwd: root }).filter((path) => !forTests.test(path))
for (const path of modules) {
  // What exports nothing is a program of its own, which would run here. The server's own does no harm: see below.
  if (/^export /m.test(readFileSync(join(root, path), 'utf8')))
    await import(pathToFileURL(join(root, path)).href)
}
// Those that may only read would never fill their own cache.
const confined = globSync('src/**/{child,*-child}.ts', { cwd: root })
compileConfined(confined.map((path) => pathToFileURL(join(root, path))))
process.argv = [process.execPath, 'hocket', '--version']
await import(pathToFileURL(join(root, 'src', 'main.ts')).href)
flushCompileCache()
process.exit()
