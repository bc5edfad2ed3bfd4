// @ts-check
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { step } from './progress.mjs'
import { npm } from './run.mjs'

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[] }} Locked
 */

/**
 * Installs the packages of package-lock.json, unless they are there.
 * @param {string} root @param {NodeJS.ProcessEnv} env
 */
export async function ensurePackages(root, env) {
  if (await areInstalled(root)) return
  await withLock(root, async () => {
    if (await areInstalled(root)) return
    await step('Installing packages (npm ci)', async () => {
      // npm writes this file last: without it, an installation that is cut off is not taken for a whole one.
      await rm(installedList(root), { force: true })
      await npm(['ci'], { cwd: root, env })
    })
  })
}

/**
 * Whether node_modules holds what package-lock.json names, by the list that npm leaves there.
 * @param {string} root
 */
export async function areInstalled(root) {
  const wanted = await packagesOf(join(root, 'package-lock.json'))
  const present = await packagesOf(installedList(root))
  if (wanted === undefined || present === undefined) return false
  return agree(wanted, present, process.platform, process.arch)
}

/**
 * Whether the packages that are present are those that are wanted. Optional ones may be absent (most are other
 * platforms'), but none may be present that is not for this platform: then the folder came from another machine.
 * @param {Record<string, Locked>} wanted @param {Record<string, Locked>} present
 * @param {string} platform @param {string} arch
 */
export function agree(wanted, present, platform, arch) {
  for (const [path, locked] of Object.entries(wanted)) {
    if (path === '') continue
    const installed = present[path]
    if (installed === undefined) {
      if (locked.optional === true) continue
      return false
    }
    if (installed.version !== locked.version || installed.integrity !== locked.integrity) return false
  }
  return Object.entries(present).every(
    ([path, installed]) => path in wanted && fits(installed.os, platform) && fits(installed.cpu, arch),
  )
}

/** npm's way to name platforms: a list of those that are meant, or of those that are not (`!win32`). */
function fits(/** @type {string[] | undefined} */ list, /** @type {string} */ mine) {
  if (list === undefined || list.length === 0) return true
  if (list.includes(`!${mine}`)) return false
  return list.includes(mine) || list.includes('any') || list.every((name) => name.startsWith('!'))
}

const installedList = (/** @type {string} */ root) => join(root, 'node_modules', '.package-lock.json')

/** @param {string} path @returns {Promise<Record<string, Locked> | undefined>} */
async function packagesOf(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8')).packages
  } catch {
    return undefined
  }
}
