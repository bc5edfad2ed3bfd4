import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findRoot } from './steps.ts'

/**
 * `npm run dev`: the server, which starts again when a file of `src/` changes, and Vite, which shows the web player as
 * it is written and hands `/api` on to the server.
 *
 * Node's own `--watch` does not serve: it makes worker threads report what they import as messages to their parents,
 * which are not meant for ours, and it does not see the files that only threads and child processes load.
 */
const root = findRoot()
const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())

/** Editors write a file in several steps, and a checkout many files at once: one start for all of them. */
const settleMs = 200

const vite = start([join(root, 'node_modules/vite/bin/vite.js'), '--config', join(root, 'vite.config.ts')], {
  HOCKET_DEV_SERVER: `http://127.0.0.1:${serverPort()}`,
})
vite.once('exit', () => ending.abort())
await serve()
vite.kill('SIGTERM')

async function serve(): Promise<void> {
  for (;;) {
    const server = start([join(root, 'src/main.ts'), 'up', ...process.argv.slice(2)])
    const changed = await change()
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    if (changed === undefined) return
    console.log(`\n${changed} has changed: starting again`)
  }
}

/** The file whose change calls for another start, or undefined when it is time to end. */
async function change(): Promise<string | undefined> {
  const settled = new AbortController()
  let first: string | undefined
  try {
    const signal = AbortSignal.any([ending.signal, settled.signal])
    for await (const { filename } of watch(join(root, 'src'), { recursive: true, signal })) {
      if (filename === null || !filename.endsWith('.ts') || filename.endsWith('.test.ts')) continue
      if (first === undefined) setTimeout(() => settled.abort(), settleMs)
      first ??= filename
    }
  } catch (error) {
    if (!ending.signal.aborted && !settled.signal.aborted) throw error
  }
  return ending.signal.aborted ? undefined : first
}

/** Where the server will listen, as its settings say. */
function serverPort(): string {
  const { values } = parseArgs({ options: { port: { type: 'string' } }, strict: false })
  return typeof values.port === 'string' ? values.port : (process.env.HOCKET_PORT ?? '4650')
}

function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, command, { stdio: 'inherit', env: { ...process.env, ...env } })
}
