// @ts-check
import { join } from 'node:path'
import { step } from './progress.mjs'
import { run } from './run.mjs'
import { ensureMade } from './sources.mjs'

/** Everything that the built web player is a function of. */
const inputs = ['web', 'vite.config.ts', 'src/protocol', 'package-lock.json', 'tsconfig.json']

/**
 * Builds the web player into `dist/web`, unless what is there was made of the same sources.
 * @param {string} root @param {string} node @param {NodeJS.ProcessEnv} env
 */
export function ensurePlayer(root, node, env) {
  const stamp = join(root, 'dist', 'web', '.sources')
  return ensureMade(root, { inputs, stamp }, () =>
    step('Building the web player', async () => {
      const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
      await run(node, [vite, 'build'], { cwd: root, env })
    }),
  )
}
