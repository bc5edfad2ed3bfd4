// @ts-check
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { step } from './progress.mjs'
import { run } from './run.mjs'

/** Everything that the built web player is a function of. */
const inputs = ['web', 'vite.config.ts', 'src/protocol', 'package-lock.json', 'tsconfig.json']

/**
 * Builds the web player into `dist/web`, unless what is there was made of the same sources.
 * @param {string} root @param {string} node @param {NodeJS.ProcessEnv} env
 */
export async function ensurePlayer(root, node, env) {
  const sources = await digest(root)
  if ((await builtFrom(root)) === sources) return
  await withLock(root, async () => {
    if ((await builtFrom(root)) === sources) return
    await step('Building the web player', async () => {
      const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
      await run(node, [vite, 'build'], { cwd: root, env })
      await writeFile(stamp(root), sources)
    })
  })
}

const stamp = (/** @type {string} */ root) => join(root, 'dist', 'web', '.sources')

/** @param {string} root @returns {Promise<string | undefined>} */
async function builtFrom(root) {
  try {
    return await readFile(stamp(root), 'utf8')
  } catch {
    return undefined
  }
}

/** @param {string} root @returns {Promise<string>} a SHA-256 over the names and contents of the inputs */
async function digest(root) {
  const hash = createHash('sha256')
  for (const input of inputs) {
    for (const path of await filesUnder(root, input)) {
      hash.update(`${path}\0`)
      hash.update(await readFile(join(root, path)))
      hash.update('\0')
    }
  }
  return hash.digest('hex')
}

/** @param {string} root @param {string} path @returns {Promise<string[]>} */
async function filesUnder(root, path) {
  try {
    const entries = await readdir(join(root, path), { withFileTypes: true })
    const lists = await Promise.all(
      entries
        .filter((entry) => !entry.name.endsWith('.test.ts') && !entry.name.endsWith('.test.tsx'))
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map((entry) => {
          const child = `${path}/${entry.name}`
          return entry.isDirectory() ? filesUnder(root, child) : Promise.resolve([child])
        }),
    )
    return lists.flat()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return [path]
    throw error
  }
}
