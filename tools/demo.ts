import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireEtcd } from '../src/node/etcd/program.ts'
import { CodedError, errorCodes } from '../src/protocol/errors.ts'
import { startCluster } from './demo/cluster.ts'
import { show } from './demo/show.ts'

/** `npm run demo`: three machines on this one, with music, for a person to kill. */

const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())

const tell = (line: string) => console.log(line)

try {
  await demonstrate(ending.signal)
} catch (error) {
  if (ending.signal.aborted) tell('Ended, and cleaned up.')
  else process.exitCode = report(error)
}

async function demonstrate(signal: AbortSignal): Promise<void> {
  await requireEtcd()
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hocket-demo-'))
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  tell(`Three machines on this one, in ${folder}`)
  const cluster = stack.use(await startCluster({ folder, seconds: 60, tell, signal }))
  await show(cluster, tell, signal)
}

/** Says what happened and what to do; answers the exit code. */
function report(error: unknown): number {
  if (error instanceof CodedError) {
    console.error(`${error.message}. ${errorCodes[error.code].help} (${error.code} in docs/errors.md)`)
  } else {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return 1
}
