import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { requireEtcd } from '../src/node/etcd/program.ts'
import { CodedError, errorCodes } from '../src/protocol/errors.ts'
import { check, isGood } from './demo/check.ts'
import { startCluster } from './demo/cluster.ts'
import { show } from './demo/show.ts'

/**
 * `npm run demo`: three machines on this one, with music, for a person to kill. With `--check` it kills them itself,
 * prints one line of JSON on standard output, and exits 0 only where nothing was heard of it and nothing lost.
 */

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, kills: { type: 'string', default: '6' } },
})
const kills = z.coerce.number().int().min(1).parse(values.kills)
/** How long each song is. For the check they are little longer than what a listener fetches ahead. */
const seconds = values.check ? 18 : 60

const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())

const tell = (line: string) => {
  if (values.check) console.error(line)
  else console.log(line)
}

try {
  await demonstrate(ending.signal)
} catch (error) {
  if (ending.signal.aborted) tell('Ended, and cleaned up.')
  else report(error)
  process.exitCode = ending.signal.aborted && !values.check ? 0 : 1
}

async function demonstrate(signal: AbortSignal): Promise<void> {
  await requireEtcd()
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hocket-demo-'))
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  tell(`Three machines on this one, in ${folder}`)
  const cluster = stack.use(await startCluster({ folder, seconds, tell, signal }))
  if (!values.check) return await show(cluster, tell, signal)
  try {
    const verdict = await check(cluster, { kills, seconds }, tell, signal)
    console.log(JSON.stringify(verdict))
    if (isGood(verdict)) return
  } catch (error) {
    if (!signal.aborted) report(error)
  }
  process.exitCode = 1
  for (const { name, logs } of cluster.machines) tell(`\n--- what ${name} printed last ---\n${logs()}`)
}

/** Says what happened and what to do. */
function report(error: unknown): void {
  if (error instanceof CodedError) {
    console.error(`${error.message}. ${errorCodes[error.code].help} (${error.code} in docs/errors.md)`)
  } else {
    console.error(error)
  }
}
