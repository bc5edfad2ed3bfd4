import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
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
 * Renames files, whose bytes are durable already, to places under `top`, and makes their new names durable (B2), with every
 * folder above them up to `top`: one that an earlier process made may never have been made durable. What has been made
 * durable once stays so, for folders are never removed: from then on a name costs one flush.
 */
export function createPlacer(top: string): (from: string, to: string) => Promise<void> {
  /** Folders under `top` whose own names are durable. */
  const durable = new Set<string>()

  async function makeDurable(folder: string): Promise<void> {
    if (folder === top || !folder.startsWith(top)) return
    const name = relative(top, folder)
    if (durable.has(name)) return
    await syncFolder(dirname(folder))
    await makeDurable(dirname(folder))
    durable.add(name)
  }

  return async (from, to) => {
    const folder = dirname(to)
    await makeFolder(folder)
    await rename(from, to)
    await syncFolder(folder)
    await makeDurable(folder)
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
