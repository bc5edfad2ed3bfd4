import { lstat } from 'node:fs/promises'
import { pathBytes } from './path.ts'

/** Whether something is at a path; also where nobody can say so. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(pathBytes(path))
    return true
  } catch (error) {
    return !(
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    )
  }
}
