import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { timestamp } from '../protocol/ids.ts'

/**
 * How the commands of this machine reach the node that runs on a data folder: `run/local.json` (0600) holds its
 * address and a token that counts as an administrator's. Whoever can read the file can read the whole data folder
 * anyway. The token is random and lives as long as the process.
 */
const local = z.object({
  pid: z.int().positive(),
  address: z.url({ protocol: /^http$/ }),
  token: z.string().regex(/^[\w-]{43}$/),
  startedAt: timestamp,
})
export type Local = Readonly<z.infer<typeof local>>

/** A new token: 256 random bits in base64url. */
export function newLocalToken(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether a client presented the node's token; takes as long for a wrong one as for the right one. */
export function isLocalToken(token: string, presented: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(token), digest(presented))
}

/** Publishes where the node of this data folder is reached; the file goes away when the result is disposed of. */
export async function publishLocal(
  data: string,
  { address, token }: Pick<Local, 'address' | 'token'>,
): Promise<AsyncDisposable> {
  const path = pathIn(data)
  const content: Local = { pid: process.pid, address, token, startedAt: Date.now() }
  await mkdir(join(data, 'run'), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, JSON.stringify(content), { mode: 0o600 })
  await rename(temporary, path)
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

/** The node that runs on this data folder, or null: none has left its file, or the one that left it is dead. */
export async function readLocal(data: string): Promise<Local | null> {
  try {
    const found = local.safeParse(JSON.parse(await readFile(pathIn(data), 'utf8')))
    return found.success && isAlive(found.data.pid) ? found.data : null
  } catch {
    return null
  }
}

const pathIn = (data: string) => join(data, 'run', 'local.json')

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
