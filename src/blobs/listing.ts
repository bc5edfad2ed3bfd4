import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Listed } from './blobs.ts'
import { diskError, hasErrorCode } from './disk-errors.ts'
import { hashPath } from './sums.ts'

/** The blobs under `folder` in the order of their names, after the name `after`. */
export async function* listBlobs(folder: string, after = '', signal?: AbortSignal): AsyncGenerator<Listed> {
  for (const first of await names(folder, /^[0-9a-f]{2}$/, after.slice(0, 2))) {
    const fromSecond = after.startsWith(first) ? after.slice(2, 4) : ''
    for (const second of await names(join(folder, first), /^[0-9a-f]{2}$/, fromSecond)) {
      for (const hash of await names(join(folder, first, second), /^[0-9a-f]{64}$/, after)) {
        signal?.throwIfAborted()
        if (hash === after || !hash.startsWith(first + second)) continue
        const found = await stat(hashPath(folder, hash)).catch(() => null)
        if (found?.isFile()) yield { hash, size: found.size, storedAt: found.mtimeMs }
      }
    }
  }
}

/** The names in a folder that match `shape`, from `from` on, in order; none where the folder is not there. */
export async function names(folder: string, shape: RegExp, from = ''): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => shape.test(name) && name >= from).sort()
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw diskError(error)
  }
}
