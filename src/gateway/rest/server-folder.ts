import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, normalize } from 'node:path'
import type { z } from 'zod'
import { pathBytes, pathText } from '../../catalog/scan/path.ts'
import type { serverFolder } from '../../protocol/api/catalog.ts'
import { CodedError } from '../../protocol/errors.ts'

type ServerFolder = z.infer<typeof serverFolder>

/** Most folders that are listed of one folder. */
const mostFolders = 2_000

/**
 * The folders in a folder of this machine's disks, hidden ones aside, for an administrator who looks for the music.
 * Paths are in the text form of `src/catalog/scan/path.ts`; absent: the home folder. LIBRARY_NOT_A_FOLDER.
 */
export async function readServerFolder(path: string = homedir()): Promise<ServerFolder> {
  if (!isAbsolute(path) || path.includes('\0')) throw new CodedError('LIBRARY_NOT_A_FOLDER', path)
  const folder = normalize(path).replace(/(?<=.)\/+$/, '')
  const names = await foldersIn(folder)
  const sorted = names.sort((one, other) => one.localeCompare(other)).slice(0, mostFolders)
  return {
    path: folder,
    ...(folder !== '/' && { parent: folder.slice(0, folder.lastIndexOf('/')) || '/' }),
    folders: sorted.map((name) => ({ name, path: within(folder, name) })),
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(Buffer.from(pathBytes(folder)), {
    withFileTypes: true,
    encoding: 'buffer',
  }).catch((cause) => {
    throw new CodedError('LIBRARY_NOT_A_FOLDER', folder, { cause })
  })
  const names = await Promise.all(
    entries.map(async (entry) => {
      const name = pathText(entry.name)
      if (name.startsWith('.')) return null
      const isFolder = entry.isSymbolicLink()
        ? await leadsToFolder(within(folder, name))
        : entry.isDirectory()
      return isFolder ? name : null
    }),
  )
  return names.filter((name) => name !== null)
}

async function leadsToFolder(path: string): Promise<boolean> {
  return stat(pathBytes(path)).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function within(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}
