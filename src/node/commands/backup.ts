import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncFolder } from '../../blobs/durable.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { damaged, readArchive } from '../backup/archive.ts'
import { type Ending, ending, names } from '../backup/format.ts'
import { restore } from '../backup/restore.ts'
import type { Context } from './context.ts'
import { withNode } from './remote.ts'
import { bytes } from './terminal.ts'

/** `hocket backup FILE`: one archive of all that cannot be made again, whether a node runs or not. */
export async function backupTo(context: Context, file: string): Promise<void> {
  const path = resolve(file)
  const temporary = `${path}.${process.pid}.part`
  try {
    const { size, end } = await withNode(context, async (remote) => {
      using progress = context.terminal.progress('Backing up', bytes)
      return await write(remote.download('/api/backup'), temporary, (done) => progress.update(done, 0))
    })
    await rename(temporary, path)
    await syncFolder(dirname(path))
    const kept = end.blobs - end.damaged.length
    context.terminal.print(`${path} holds the backup (${bytes(size)}, ${kept} uploaded files).`)
    const lacking = end.damaged.length + end.missing.length
    if (lacking > 0) {
      context.terminal.note(
        `${lacking} uploaded files are not in it: no sound copy of them was to be had. Make another backup when all machines answer.`,
      )
    }
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof Error && 'syscall' in error && !isCoded(error)) {
      throw new CodedError('BACKUP_NOT_WRITTEN', error.message, { cause: error })
    }
    throw error
  }
}

/** Writes the archive, and reads it as it passes: one that was cut off is none. */
async function write(
  source: AsyncIterable<Uint8Array>,
  path: string,
  progress: (bytes: number) => void,
): Promise<{ readonly size: number; readonly end: Ending }> {
  // It holds the hashes of passwords and the key to the devices' secrets: for its owner alone.
  await using file = await open(path, 'wx', 0o600)
  let size = 0
  async function* written() {
    for await (const piece of source) {
      await file.writeFile(piece)
      size += piece.length
      progress(size)
      yield piece
    }
  }
  const passing = written()
  // The archive's reader stops at its end, before the last bytes of the file.
  const end = await endOf({ [Symbol.asyncIterator]: () => ({ next: () => passing.next() }) })
  for await (const _ of passing) {
    // They are written as they pass.
  }
  await file.sync()
  return { size, end }
}

async function endOf(archive: AsyncIterable<Uint8Array>): Promise<Ending> {
  for await (const { path, content } of readArchive(archive)) {
    if (path !== names.ending) continue
    const pieces: Uint8Array[] = []
    for await (const bytes of content) pieces.push(Buffer.from(bytes))
    return ending.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')))
  }
  throw damaged('it was cut off')
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
  if (made.missingBlobs > 0) {
    terminal.print(
      `${made.missingBlobs} files were on machines that did not answer when the backup was made; upload them again.`,
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
