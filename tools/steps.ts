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

export const findRoot = () => dirname(import.meta.dirname)

/** Format, lint with the import boundaries, types and unit tests. */
export function check(): readonly Step[] {
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

/** The tests in the files that match the patterns, so many files at a time. */
export function tests(title: string, patterns: readonly string[], atOnce: number): Step {
  return { title, args: ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=600000', ...patterns] }
}

/**
 * Runs the steps one after another in the folder `root`, their output as it is; a step that fails ends it.
 * Answers the exit code.
 */
export async function inOrder(root: string, steps: readonly Step[]): Promise<number> {
  for (const step of steps) {
    const startedAt = performance.now()
    console.log(`\n■ ${step.title}`)
    const code = await run(root, step.args)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    if (code !== 0) {
      console.error(`✗ ${step.title} failed (${seconds} s)`)
      return code
    }
    console.log(`✓ ${step.title} (${seconds} s)`)
  }
  return 0
}

function run(root: string, args: readonly string[]): Promise<number> {
  // Each test file is a process, and starts threads and processes of its own: what Node has made of our TypeScript is
  // kept for the next one, which saves a quarter of the work. It is a cache, named by content.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'hocket') }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
