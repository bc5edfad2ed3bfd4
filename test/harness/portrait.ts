import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'

/** Everything about a tree but when it was last looked at: two that are equal show that nothing was touched (B4). */
export async function portrait(root: string): Promise<string[]> {
  const lines: string[] = []
  const waiting = [Buffer.from(root)]
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    const stat: BigIntStats = await lstat(path, { bigint: true })
    const { mode, ino, nlink, uid, gid, size, mtimeNs, ctimeNs } = stat
    const content = stat.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : ''
    lines.push([path.toString('hex'), mode, ino, nlink, uid, gid, size, mtimeNs, ctimeNs, content].join(' '))
    if (!stat.isDirectory()) continue
    for (const name of await readdir(path, { encoding: 'buffer' }))
      waiting.push(Buffer.concat([path, Buffer.from('/'), name]))
  }
  return lines
}
