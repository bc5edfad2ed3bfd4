import { spawnSync } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** A confined process that a hostile file has taken over: it tries what it may not, and says what became of it. */
process.on('disconnect', () => process.exit())
process.on('message', ({ others, own }: { readonly others: string; readonly own: string }) => {
  const attempts = {
    read: () => readFileSync(others),
    write: () => writeFileSync(others, 'mine'),
    writeBeside: () => writeFileSync(join(dirname(others), 'new'), 'mine'),
    writeOwn: () => writeFileSync(own, 'mine'),
    moveAway: () => renameSync(others, join(dirname(own), basename(others))),
    start: () => spawnSync(process.execPath, ['--version']),
    thread: () => new Worker('', { eval: true }),
  }
  const became = Object.entries(attempts).map(([name, attempt]) => [name, codeOf(attempt)])
  // What takes the types out of TypeScript is loaded where a module was not found compiled.
  const loaded = 'moduleLoadList' in process ? String(process.moduleLoadList) : 'amaro'
  process.send?.({ became: Object.fromEntries(became), compiled: !loaded.includes('amaro') })
})

function codeOf(attempt: () => unknown): unknown {
  try {
    attempt()
    return 'done'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : String(error)
  }
}
