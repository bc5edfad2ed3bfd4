/**
 * What a listener notices when the machine that serves them is killed: the one whose copy is read (`--part media`), and
 * the one whose page plays (`--part gateways`). Real processes, real music, and for the pages a real Chromium.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { requireEtcd } from '../../src/node/etcd/program.ts'
import { startCluster } from '../../tools/demo/cluster.ts'
import { machine } from '../streaming/machine.ts'
import { killGateways } from './gateways.ts'
import { killMedia } from './media.ts'
import type { Run } from './run.ts'

const { values } = parseArgs({
  options: {
    part: { type: 'string' },
    media: { type: 'string', default: '200' },
    gateways: { type: 'string', default: '50' },
    /** Each part ends after so many, with the kills that it has come to. */
    minutes: { type: 'string', default: '40' },
  },
})
const part = z.enum(['media', 'gateways']).optional().parse(values.part)
/** How long each song is: a listener at 320 kbit/s hears one for two minutes, and a page must not come to the next one. */
const seconds = { media: 40, gateways: 180 } as const

const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort())
const { signal } = ending

const tell = (line: string) => console.error(line)

/** On three machines of its own. */
async function measure<Answer>(
  name: 'media' | 'gateways',
  ask: (run: Run, kills: number) => Promise<Answer>,
) {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hocket-failover-'))
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const cluster = stack.use(await startCluster({ folder, seconds: seconds[name], tell, signal }))
  const found = await ask({ cluster, minutes: Number(values.minutes), tell, signal }, Number(values[name]))
  return { at: new Date().toISOString(), machine: machine(), ...found }
}

await requireEtcd()
const answerPath = join(import.meta.dirname, 'answer.json')
const before: unknown = JSON.parse(await readFile(answerPath, 'utf8').catch(() => '{}'))
const answer: Record<string, unknown> = z.record(z.string(), z.unknown()).parse(before)
if (part !== 'gateways') answer.media = await measure('media', killMedia)
if (part !== 'media') answer.gateways = await measure('gateways', killGateways)
console.log(JSON.stringify(answer, null, 2))
await writeFile(answerPath, `${JSON.stringify(answer, null, 2)}\n`)
