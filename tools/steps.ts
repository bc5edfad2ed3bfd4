import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { tieSignals } from './launch/run.mjs'
import { thrift } from './launch/thrift.mjs'
import { openRoom } from './room.ts'
import { type Order, together } from './together.ts'

/** A program that is run as one part of a check, with the Node that runs us. */
export interface Step {
  readonly title: string
  /** What Node is given: its options, the script, the script's arguments. */
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export const findRoot = () => dirname(import.meta.dirname)

/** Format, lint with the import boundaries, types and unit tests. Answers the exit code. */
export async function check(root: string): Promise<number> {
  using room = openRoom()
  const files = together(
    root,
    ['src/**/*.test.ts', 'web/**/*.test.ts', 'tools/**/*.test.ts'],
    // They wait for disks and for one another often enough that one more than there are processors is no loss.
    availableParallelism() + 1,
    join(room.path, 'processes'),
    order,
  )
  const env = { TMPDIR: room.path, ...unhindered }
  const unitTests = { ...tests('Unit tests', files, files.length), env }
  return await inOrder(root, [compiling, unitTests], quick())
}

/** It need not be exact: a file in the wrong place costs a second. Figures: docs/adr/0400. */
const order: Order = {
  long: [
    'src/gateway/subsonic/clients.test.ts',
    'src/index/index.test.ts',
    'src/media/transcode/workers.test.ts',
    'src/catalog/scanned.test.ts',
    'src/gateway/served.test.ts',
    'src/gateway/media/archives.test.ts',
    'src/catalog/index/projection.test.ts',
    'src/store/sqlite.test.ts',
    'src/node/backup/backup.test.ts',
    'src/podcasts/feed/read.test.ts',
    'src/catalog/index/queries/browse.test.ts',
    'src/media/zip/zip.test.ts',
  ],
  waiting: [
    'src/gateway/peers/calls.test.ts',
    'src/gateway/edge.test.ts',
    'src/gateway/media/unparsed.test.ts',
    'src/media/serve/shortcut.test.ts',
    'src/podcasts/keep.test.ts',
    'src/outbox/outbox.test.ts',
    'src/media/covers/covers.test.ts',
    'src/gateway/metrics.test.ts',
    'src/registry/discovery/discovery.test.ts',
    'src/operator/leadership.test.ts',
    'src/registry/registry.test.ts',
  ],
}

/** Otherwise each of the processes, and each of their threads until one has ended, would do it for itself at the start. */
const compiling: Step = { title: 'Compiling', args: ['tools/compile.mjs'] }

/** The launcher has the C library give memory back at once, as a server should for months: it slows tests by a tenth. */
const unhindered = Object.fromEntries(Object.keys(thrift.env).map((name) => [name, undefined]))

/** What takes seconds: done beside the tests. */
function quick(): readonly Step[] {
  const colours = process.stdout.isTTY ? 'force' : 'off'
  return [
    {
      title: 'Format, lint and import boundaries',
      args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', `--colors=${colours}`],
    },
    types('tsconfig.json', 'types'),
    types('web/tsconfig.json', 'types-web'),
  ]
}

/**
 * What was found in files that have not changed is kept under the name, and not looked for again. Several threads would
 * each find much of the same out for themselves, and collecting garbage costs as much as checking: a third of the work
 * is left with one thread that keeps its 700 MB, and collects only where it would need twice that.
 */
function types(project: string, name: string): Step {
  const kept = join('node_modules', '.cache', 'hocket', `${name}.tsbuildinfo`)
  const incremental = ['--incremental', '--tsBuildInfoFile', kept]
  const pretty = ['--pretty', process.stdout.isTTY ? 'true' : 'false']
  return {
    title: `Types (${project})`,
    args: [
      'node_modules/typescript/bin/tsc',
      '--singleThreaded',
      '--project',
      project,
      ...incremental,
      ...pretty,
    ],
    env: { GOGC: 'off', GOMEMLIMIT: '1500MiB' },
  }
}

/** The tests in the files that match the patterns, so many files at a time. */
export function tests(title: string, patterns: readonly string[], atOnce: number): Step {
  return { title, args: ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=600000', ...patterns] }
}

/**
 * Runs the steps one after another in the folder `root`, their output as it is; and beside them those of `beside`, the
 * output of each when it has ended. One that fails ends all. Answers the exit code.
 */
export async function inOrder(
  root: string,
  steps: readonly Step[],
  beside: readonly Step[] = [],
): Promise<number> {
  const failure = new AbortController()
  const lane = async (those: readonly Step[], isShown: boolean): Promise<number> => {
    for (const step of those) {
      const code = await runStep(root, step, isShown, failure.signal)
      if (code !== 0) {
        failure.abort()
        return code
      }
    }
    return 0
  }
  const codes = await Promise.all([lane(steps, true), lane(beside, false)])
  return codes.find((code) => code !== 0) ?? 0
}

async function runStep(root: string, step: Step, isShown: boolean, failure: AbortSignal): Promise<number> {
  if (failure.aborted) return 1
  const startedAt = performance.now()
  if (isShown) console.log(`\n■ ${step.title}`)
  const { code, output } = await run(root, step, isShown, failure)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  if (failure.aborted) return 1
  if (output.trim() !== '') console.log(`\n${output.trimEnd()}`)
  if (code === 0) console.log(`✓ ${step.title} (${seconds} s)`)
  else console.error(`✗ ${step.title} failed (${seconds} s)`)
  return code
}

interface Ended {
  readonly code: number
  /** What it has printed, where that was not shown. */
  readonly output: string
}

function run(root: string, step: Step, isShown: boolean, failure: AbortSignal): Promise<Ended> {
  // Each test file is a process, and starts threads and processes of its own: what Node has made of our TypeScript is
  // kept for the next one, which saves a quarter of the work. It is a cache, named by content.
  const cache = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'hocket') }
  const stdio = isShown ? 'inherit' : 'pipe'
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, step.args, {
      cwd: root,
      stdio: ['inherit', stdio, stdio],
      env: { ...process.env, ...cache, ...step.env },
    })
    const untie = tieSignals(child)
    const end = () => child.kill()
    failure.addEventListener('abort', end)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => {
      untie()
      failure.removeEventListener('abort', end)
      resolve({ code: code ?? 1, output })
    })
  })
}
