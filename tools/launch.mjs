// @ts-check
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureNode } from './launch/node.mjs'
import { ensurePackages } from './launch/packages.mjs'
import { ensurePlayer } from './launch/player.mjs'
import { environmentOf, handOver, LaunchError } from './launch/run.mjs'
import { ensureServer } from './launch/server.mjs'
import { thrift } from './launch/thrift.mjs'

/**
 * What each npm script does, once Node and the packages are there: the program that is started, and whether it shows
 * the web player (which is then built first). Plain JavaScript, since it is what an older Node runs first.
 * @type {Record<string, (args: readonly string[]) => { run?: readonly string[], player: boolean }>}
 */
const tasks = {
  start: (args) => ({ run: ['src/main.ts', 'up', ...args], player: true }),
  hocket: (args) => ({ run: ['src/main.ts', ...args], player: args.includes('up') }),
  build: () => ({ player: true }),
  dev: (args) => ({ run: ['tools/dev.ts', ...args], player: false }),
  check: (args) => ({ run: ['tools/check.ts', ...args], player: false }),
  test: (args) => ({ run: ['tools/test.ts', ...args], player: true }),
  faults: (args) => ({ run: ['tools/faults.ts', ...args], player: false }),
  format: (args) => ({
    run: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', ...args],
    player: false,
  }),
  openapi: () => ({ run: ['tools/openapi.ts'], player: false }),
  demo: (args) => ({ run: ['tools/demo.ts', ...args], player: !args.includes('--check') }),
  bench: (args) => ({ run: ['tools/bench.ts', ...args], player: true }),
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @param {readonly string[]} argv @returns {Promise<number>} the exit code */
async function launch([name = '', ...args]) {
  const task = tasks[name]
  if (task === undefined) {
    throw new LaunchError(`There is no task "${name}".`, `Choose one of ${Object.keys(tasks).join(', ')}.`)
  }
  const { run, player } = task(args)
  const node = await ensureNode(root)
  // Node keeps what it makes of our TypeScript there: a warm start takes half the time and a sixth less memory.
  const cache = process.env.NODE_COMPILE_CACHE ?? join(root, '.node', 'compile-cache')
  const env = { ...thrift.env, ...environmentOf(node), NODE_COMPILE_CACHE: cache }
  await ensurePackages(root, env)
  if (player) {
    await ensurePlayer(root, node, env)
    await ensureServer(root, node, cache, env)
  }
  if (run === undefined) return 0
  const [script = '', ...rest] = run
  // npm goes to the checkout before it starts us; the folders in the arguments are relative to where the person is.
  return handOver(node, [...thrift.flags, join(root, script), ...rest], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env,
  })
}

try {
  process.exitCode = await launch(process.argv.slice(2))
} catch (error) {
  if (error instanceof LaunchError) process.stderr.write(`\n${error.message}\n${error.help}\n`)
  else process.stderr.write(`\n${error instanceof Error ? error.stack : error}\n`)
  process.exitCode = 1
}
