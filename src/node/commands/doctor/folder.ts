import { access, constants, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { reserveBytes } from '../../../blobs/temporary.ts'
import { errorCodes } from '../../../protocol/errors.ts'
import type { Context } from '../context.ts'
import { bytes } from '../terminal.ts'
import { bad, doubtful, type Finding, good } from './finding.ts'

const scarce = 1024 ** 3

/** Whether the data folder may be used, has room, and is for its owner alone. */
export async function* checkDataFolder({ config: { data } }: Context): AsyncGenerator<Finding> {
  const found = await stat(data).catch(() => null)
  if (found === null) {
    yield doubtful(
      `There is no data folder at ${data}`,
      'It is made at the first start; or name yours with --data.',
    )
    return
  }
  if (!found.isDirectory()) {
    yield bad(`${data} is not a folder`, 'Name a folder with --data.')
    return
  }
  try {
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK)
    yield good(`The data folder ${data} can be read and written`)
  } catch (error) {
    const isReadOnly = error instanceof Error && 'code' in error && error.code === 'EROFS'
    yield bad(
      `The data folder ${data} cannot be read and written`,
      isReadOnly ? 'Mount its disk writable.' : `Run \`chown -R $(whoami) ${data}\` as root.`,
    )
  }
  if (process.platform !== 'win32') yield await checkRights(data)
  const { bavail, bsize } = await statfs(data)
  const free = bavail * bsize
  if (free < reserveBytes) yield bad(`The disk has ${bytes(free)} left`, errorCodes.DISK_FULL.help)
  else if (free < scarce)
    yield doubtful(`The disk has ${bytes(free)} left`, 'Free some space before it is full.')
  else yield good(`The disk has ${bytes(free)} left`)
}

/** Whoever reads the data folder reads the hashes of passwords and the key to the devices' secrets. */
async function checkRights(data: string): Promise<Finding> {
  const folders = [data, join(data, 'secrets'), join(data, 'run')]
  for (const path of folders) {
    const found = await stat(path).catch(() => null)
    const isShut = found === null || (found.mode & 0o077) === 0
    // An open data folder is a matter of taste as long as what is secret in it is shut.
    if (!isShut && path !== data) return bad(`Others may look into ${path}`, `Run \`chmod 700 ${path}\`.`)
    if (!isShut) return doubtful(`Others may look into ${path}`, `Run \`chmod 700 ${path}\`.`)
  }
  return good('What is secret is shut off from other users of this machine')
}
