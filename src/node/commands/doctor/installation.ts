import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { version } from '../../version.ts'
import type { Context } from '../context.ts'
import { bad, type Finding, good } from './finding.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')

/** The parts that are built for a platform: what each is for, and the module that loads it. */
const nativeParts = [
  { what: 'FFmpeg (node-av)', module: 'node-av' },
  { what: 'The image library (sharp)', module: 'sharp' },
  { what: 'The tag library (taglib-wasm)', module: 'taglib-wasm' },
] as const

/** Whether this program can run here: Node, the native parts, the web player. */
export async function* checkInstallation({ signal }: Context): AsyncGenerator<Finding> {
  yield good(`Hocket ${version} on Node ${process.versions.node}, ${process.platform} ${process.arch}`)
  for (const { what, module } of nativeParts) {
    // Another process, since a library for another platform may end the one that loads it.
    const script = `await import(${JSON.stringify(module)}); process.exit(0)`
    try {
      await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: root,
        timeout: 30_000,
        signal,
      })
      yield good(`${what} loads`)
    } catch (error) {
      signal.throwIfAborted()
      const reason =
        /^\w*Error.*$/m.exec(error instanceof Error ? error.message : '')?.[0] ?? 'no reason is given'
      yield bad(
        `${what} does not load: ${reason}`,
        'Delete the folder node_modules and run `npm start` again.',
      )
    }
  }
  if (existsSync(join(root, 'dist', 'web', 'index.html'))) yield good('The web player is built')
  else yield bad('The web player is not built', 'Start Hocket with `npm start`, which builds it.')
}
