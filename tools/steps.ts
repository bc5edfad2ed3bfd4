import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { together } from './together.ts'

/** A program that is run as one part of a check, with the Node that runs us. */
export interface Step {
  readonly title: string
  /** What Node is given: its options, the script, the script's arguments. */
  readonly args: readonly string[]
}

/** One step, or several that are run side by side. */
export type Stage = Step | readonly Step[]

export const findRoot = () => dirname(import.meta.dirname)

/** Format, lint with the import boundaries, types and unit tests. */
export function check(): readonly Stage[] {
  return [
    {
      title: 'Format, lint and import boundaries',
      args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
    },
    types('tsconfig.json', 'types'),
    types('web/tsconfig.json', 'types-web'),
    tests(
      'Unit tests',
      together(findRoot(), ['src/**/*.test.ts', 'web/**/*.test.ts', 'tools/**/*.test.ts']),
      // They wait for disks and for one another often enough that one more than there are processors is no loss.
      availableParallelism() + 1,
    ),
  ]
}

/** What was found in files that have not changed is kept under the name, and not looked for again. */
function types(project: string, name: string): Step {
  const kept = join('node_modules', '.cache', 'hocket', `${name}.tsbuildinfo`)
  const incremental = ['--incremental', '--tsBuildInfoFile', kept]
  return {
    title: `Types (${project})`,
    args: ['node_modules/typescript/bin/tsc', '--project', project, ...incremental],
  }
}

/**
 * The tests of the whole program. Clusters wait much, for leases to end and for members of etcd to be trusted, and a
 * browser computes much, so these two are run side by side.
 */
export function whole(): readonly Step[] {
  return [
    tests('Tests of several machines', ['test/{cluster,faults,harness}/**/*.test.ts'], 2),
    tests('Tests of one machine, and in the browser', ['test/{whole,browser}/**/*.test.ts'], 1),
  ]
}

/** The tests in the files that match the patterns, so many files at a time. */
export function tests(title: string, patterns: readonly string[], atOnce: number): Step {
  return { title, args: ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=600000', ...patterns] }
}

/**
 * Runs the stages one after another in the folder `root`; one that fails ends it. Of steps side by side, the first
 * prints as it goes, and the others when they have ended. Answers the exit code.
 */
export async function inOrder(root: string, stages: readonly Stage[]): Promise<number> {
  for (const stage of stages) {
    const steps = 'title' in stage ? [stage] : stage
    console.log(`\n■ ${steps.map(({ title }) => title).join(' | ')}`)
    const ends = await Promise.all(steps.map((step, at) => runTimed(root, step, at === 0)))
    for (const { output } of ends) process.stdout.write(output)
    for (const { said } of ends) console.log(said)
    const failed = ends.find(({ code }) => code !== 0)
    if (failed !== undefined) return failed.code
  }
  return 0
}

interface End {
  readonly code: number
  /** What it has printed and nobody has seen yet. */
  readonly output: string
  /** How it went, in a line. */
  readonly said: string
}

async function runTimed(root: string, { title, args }: Step, isShown: boolean): Promise<End> {
  const startedAt = performance.now()
  const { code, output } = await run(root, args, isShown)
  const seconds = `(${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`
  return { code, output, said: code === 0 ? `✓ ${title} ${seconds}` : `✗ ${title} failed ${seconds}` }
}

function run(root: string, args: readonly string[], isShown: boolean): Promise<Omit<End, 'said'>> {
  // Each test file is a process, and starts threads and processes of its own: what Node has made of our TypeScript is
  // kept for the next one, which saves a quarter of the work. It is a cache, named by content.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'hocket') }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: isShown ? 'inherit' : 'pipe', env })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
