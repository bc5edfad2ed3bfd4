// @ts-check
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { step } from './progress.mjs'
import { run } from './run.mjs'
import { ensureMade } from './sources.mjs'
import { thrift } from './thrift.mjs'

/**
 * Fills Node's compile cache with the server's modules, unless it was filled with the same ones. A server that finds
 * them there loads nothing that takes types out of TypeScript, which would stay in the memory of each of its threads.
 * @param {string} root @param {string} node @param {string} cache its folder @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} flags of Node, which finds again only what was compiled with the same ones
 */
export async function ensureServer(root, node, cache, env, flags = thrift.flags) {
  const inputs = ['src', 'package-lock.json', 'tools/launch']
  await mkdir(cache, { recursive: true })
  await ensureMade(root, { inputs, stamp: join(cache, '.sources'), also: node }, () =>
    step('Compiling the server', async () => {
      await run(node, [...flags, join(root, 'tools', 'launch', 'compile.mjs')], { cwd: root, env })
    }),
  )
}
