// @ts-check
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from './lock.mjs'

/**
 * Makes something of sources, unless what is there was made of the same ones, as a file beside it says.
 * @param {string} root
 * @param {{ inputs: readonly string[], stamp: string, also?: string }} made the files and folders below `root` that it
 *   is a function of, what else it is a function of, and the path of the file that says of which sources it was made
 * @param {() => Promise<void>} make
 */
export async function ensureMade(root, { inputs, stamp, also = '' }, make) {
  const sources = await digest(root, inputs, also)
  if ((await madeFrom(stamp)) === sources) return
  await withLock(root, async () => {
    if ((await madeFrom(stamp)) === sources) return
    await make()
    await writeFile(stamp, sources)
  })
}

/** @param {string} stamp @returns {Promise<string | undefined>} */
async function madeFrom(stamp) {
  try {
    return await readFile(stamp, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * @param {string} root @param {readonly string[]} inputs @param {string} also
 * @returns {Promise<string>} a SHA-256 over the names and contents of the inputs
 */
async function digest(root, inputs, also) {
  const hash = createHash('sha256').update(also)
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
