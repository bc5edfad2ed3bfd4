import { accessSync, chmodSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for whatever the tests of one run write. It is gone afterwards, and so is what they have left there. */
export interface Room extends Disposable {
  readonly path: string
}

/** The unit tests have 300 MB on the disk at once. */
const enoughBytes = 2 ** 30

/**
 * Opens a room in the first of the folders that is there and has room for the unit tests. That is memory where the
 * system lends some, as many a system has all of `/tmp` there: most of what these tests wait for is a disk that syncs
 * stores of a few kilobytes. Whoever sets TMPDIR gets it there.
 */
export function openRoom(folders: readonly string[] = usualFolders()): Room {
  const folder = folders.find(hasRoom) ?? tmpdir()
  for (const name of readdirSync(folder)) {
    // The number of the process that made it. One that was killed could not tidy up, and memory is dear.
    const owner = /^hocket-room-(\d+)-/.exec(name)?.[1]
    if (owner !== undefined && !isRunning(Number(owner))) remove(join(folder, name))
  }
  const path = mkdtempSync(join(folder, `hocket-room-${process.pid}-`))
  // Some tests become another user, who has to get to what is theirs.
  chmodSync(path, 0o711)
  return { path, [Symbol.dispose]: () => remove(path) }
}

function usualFolders(): readonly string[] {
  return process.env.TMPDIR === undefined ? ['/dev/shm'] : []
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= enoughBytes
  } catch {
    return false
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 })
}
