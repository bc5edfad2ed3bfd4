// @ts-check
import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { LaunchError } from './run.mjs'

/** The holder touches its lock each 2 s; one that nobody touched for this long has no living holder. */
const staleAfterMs = 20_000
const patienceMs = 15 * 60_000

/**
 * Does `work` while no other launcher of this checkout does any under its lock: two that are started at once must not
 * install into the same folder. The lock is a file made exclusively; a dead holder's is taken over.
 * @template T
 * @param {string} root @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  const path = join(root, '.node', 'lock')
  await mkdir(join(root, '.node'), { recursive: true })
  const mine = `${process.pid} ${randomUUID()}`
  await acquire(path, mine)
  const touch = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, 2_000)
  try {
    return await work()
  } finally {
    clearInterval(touch)
    if ((await read(path)) === mine) await rm(path, { force: true })
  }
}

/** @param {string} path @param {string} mine */
async function acquire(path, mine) {
  const startedAt = Date.now()
  let told = false
  for (;;) {
    try {
      await writeFile(path, mine, { flag: 'wx' })
      return
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    if (await isStale(path)) {
      await discard(path)
      continue
    }
    if (!told)
      process.stderr.write('Waiting for another Hocket launcher in this folder to finish installing …\n')
    told = true
    if (Date.now() - startedAt > patienceMs) {
      throw new LaunchError(
        'Another launcher has been installing in this folder for too long.',
        `End it, or delete ${path} if none is running.`,
      )
    }
    await wait(200)
  }
}

/** @param {string} path */
async function isStale(path) {
  const holder = await read(path)
  if (holder === undefined) return false
  const pid = Number(holder.split(' ')[0])
  if (Number.isInteger(pid) && pid > 0 && !isAlive(pid)) return true
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleAfterMs
  } catch {
    return false
  }
}

/**
 * Moves the stale lock away. Where another launcher was quicker and the lock that moved is a live one, it goes back.
 * @param {string} path
 */
async function discard(path) {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  if (!(await isStale(aside))) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

/** @param {string} path @returns {Promise<string | undefined>} */
async function read(path) {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}

/** @param {unknown} error @param {string} code */
function isCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code
}
