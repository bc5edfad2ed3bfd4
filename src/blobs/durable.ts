import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasErrorCode } from './disk-errors.ts'

/** Makes the names in a folder durable. Systems that cannot open a folder (Windows) keep them durable by themselves. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

/**
 * Makes a folder and those above it, where they are missing. Node's own way of doing that answers ENOENT on a file
 * system that is read-only; asking for the one folder again brings the true reason.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error
    await mkdir(path, { mode: 0o700 })
  }
}

/**
 * Renames a file, whose bytes are durable already, to `to`, and makes its new name durable, with every folder above it
 * up to `top` (B2): one that an earlier process made may never have been made durable.
 */
export async function placeDurably(from: string, to: string, top: string): Promise<void> {
  await makeFolder(dirname(to))
  await rename(from, to)
  let folder = dirname(to)
  await syncFolder(folder)
  while (folder !== top && folder.startsWith(top)) {
    folder = dirname(folder)
    await syncFolder(folder)
  }
}

/** Writes a small file so that after a crash at any moment it holds either what it held before, or all of `bytes`. */
export async function writeDurably(path: string, bytes: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w', 0o600)
    await file.writeFile(bytes)
    await file.sync()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}
