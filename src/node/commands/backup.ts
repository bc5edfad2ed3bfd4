import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncFolder } from '../../blobs/durable.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { restore } from '../backup/restore.ts'
import type { Context } from './context.ts'
import { withNode } from './remote.ts'
import { bytes } from './terminal.ts'

/** `hocket backup FILE`: one archive of all that cannot be made again, whether a node runs or not. */
export async function backupTo(context: Context, file: string): Promise<void> {
  const path = resolve(file)
  const temporary = `${path}.${process.pid}.part`
  try {
    const size = await withNode(context, async (remote) => {
      using progress = context.terminal.progress('Backing up', bytes)
      return await write(remote.download('/api/backup'), temporary, (done) => progress.update(done, 0))
    })
    await rename(temporary, path)
    await syncFolder(dirname(path))
    context.terminal.print(`${path} holds the backup (${bytes(size)}).`)
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof Error && 'syscall' in error && !isCoded(error)) {
      throw new CodedError('BACKUP_NOT_WRITTEN', error.message, { cause: error })
    }
    throw error
  }
}

async function write(
  source: AsyncIterable<Uint8Array>,
  path: string,
  progress: (bytes: number) => void,
): Promise<number> {
  // It holds the hashes of passwords and the key to the devices' secrets: for its owner alone.
  await using file = await open(path, 'wx', 0o600)
  let size = 0
  for await (const piece of source) {
    await file.writeFile(piece)
    size += piece.length
    progress(size)
  }
  await file.sync()
  return size
}

/** `hocket restore FILE`: the instance that the archive holds, in a data folder that holds none. */
export async function restoreFrom({ config, terminal, signal }: Context, file: string): Promise<void> {
  const { size: total } = await sizeOf(file)
  using progress = terminal.progress('Restoring', bytes)
  const made = await restore(resolve(file), config.data, (read) => progress.update(read, total), signal)
  const from = new Date(made.manifest.createdAt).toLocaleString()
  terminal.print(
    `Restored into ${config.data}, as of ${from}: ${made.facts} facts, ${made.blobs} uploaded files.`,
  )
  if (made.damagedBlobs > 0) {
    terminal.print(
      `${made.damagedBlobs} files were damaged already when the backup was made; upload them again.`,
    )
  }
}

async function sizeOf(file: string): Promise<{ size: number }> {
  try {
    await using handle = await open(file)
    return await handle.stat()
  } catch (error) {
    throw new CodedError('BACKUP_UNREADABLE', error instanceof Error ? error.message : file, { cause: error })
  }
}
