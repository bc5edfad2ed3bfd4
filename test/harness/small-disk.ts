import { execFile } from 'node:child_process'
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type TemporaryFolder, temporaryFolder } from './folder.ts'

const run = promisify(execFile)

/** A file system of its own that a test may fill and lock; gone afterwards. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string
  /** Writes ballast until no more than `left` bytes are free. */
  fill(left?: number): Promise<void>
  /** Removes the ballast. */
  empty(): Promise<void>
  setReadOnly(readOnly: boolean): Promise<void>
}

/**
 * Mounts a tmpfs, which needs the right to: root, on a machine of its own or in a container with CAP_SYS_ADMIN, or
 * whoever runs the tests in a user namespace (`unshare --user --map-root-user --mount npm test`). Limits of a process
 * (`ulimit -f`) are no stand-in: they end it by a signal, or say EFBIG, where a full disk says ENOSPC.
 */
export async function smallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = await temporaryFolder('disk')
  const { path } = folder
  await mount(folder, mebibytes)
  const ballast = join(path, 'ballast')

  return {
    path,
    async fill(left = 0) {
      await using file = await open(ballast, 'a')
      for (let free = await freeOf(path); free > left; free = await freeOf(path)) {
        const bytes = Buffer.alloc(Math.min(free - left, 4 * 1024 * 1024))
        try {
          await file.write(bytes)
        } catch (error) {
          if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
          throw error
        }
      }
    },
    empty: () => rm(ballast, { force: true }),
    async setReadOnly(readOnly) {
      await run('mount', ['-o', `remount,bind,${readOnly ? 'ro' : 'rw'}`, path])
    },
    async [Symbol.asyncDispose]() {
      await run('umount', [path]).catch(() => run('umount', ['--lazy', path]))
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function mount(folder: TemporaryFolder, mebibytes: number): Promise<void> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'hocket-test', folder.path])
  } catch (cause) {
    await folder[Symbol.asyncDispose]()
    const how = 'be root, or run `unshare --user --map-root-user --mount npm test`'
    throw new Error(`this test mounts a small disk, which needs the right to: ${how}`, { cause })
  }
}

async function freeOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}
