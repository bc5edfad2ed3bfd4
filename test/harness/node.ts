import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { thrift } from '../../tools/launch/thrift.mjs'
import { type Client, signIn } from './client.ts'
import { type TemporaryFolder, temporaryFolder } from './folder.ts'
import { waitFor } from './wait.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export interface NodeOptions {
  readonly music?: readonly string[]
  /** The port; any that is free unless told. */
  readonly port?: string | undefined
  /** The data folder; absent: a temporary one, which is deleted when the node is disposed of. */
  readonly data?: string
  /** Variables besides those of the harness; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly flags?: readonly string[]
  /** The network namespace in which it runs, where that is not ours. */
  readonly namespace?: string | undefined
  readonly signal?: AbortSignal
}

/** A Hocket of its own process, as a person starts it. */
export interface TestNode extends AsyncDisposable {
  readonly baseUrl: string
  readonly data: string
  readonly pid: number
  readonly isRunning: boolean
  /** Everything that it has printed so far, both streams. */
  logs(): string
  /** The administrator, signed in. */
  administrator(): Promise<Client>
  /** Ends it as a service manager does, and answers its exit code. */
  stop(): Promise<number | null>
  /** Ends it as a power cut does. */
  kill9(): Promise<void>
}

/** Who administers each node that the harness starts. */
export const administrator = { name: 'ada', password: 'correct horse battery staple' } as const

/**
 * Starts Hocket on a free port and waits until it is ready. Its output is shown when the test file fails, and it never
 * outlives the test's process.
 */
export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const temporary = options.data === undefined ? await temporaryFolder('data') : undefined
  const data = options.data ?? temporary?.path ?? ''
  const running = launch(data, options)
  try {
    const baseUrl = await readiness(running, options.signal)
    return testNode(running, baseUrl, data, temporary)
  } catch (error) {
    running.child.kill('SIGKILL')
    await temporary?.[Symbol.asyncDispose]()
    throw error
  }
}

/** Runs one command of the command line to its end. */
export async function runHocket(
  args: readonly string[],
  {
    env,
    namespace,
    input = '',
    killWhen,
  }: {
    env?: NodeOptions['env']
    namespace?: string | undefined
    input?: string
    /** Ends it as a power cut does as soon as this is so; its code is null then. */
    killWhen?: () => boolean
  } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [program, ...before] = nodeIn(namespace)
  const child = spawn(program, [...before, main, ...args], { env: environment(env) })
  watched.set(child, () => '')
  child.stdin.end(input)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const watching = setInterval(() => {
    if (killWhen?.() === true) child.kill('SIGKILL')
  }, 2)
  await once(child, 'close', { signal: AbortSignal.timeout(120_000) }).finally(() => clearInterval(watching))
  return { code: child.exitCode, stdout, stderr }
}

interface Running {
  readonly child: ChildProcess
  readonly logs: () => string
  /** Whether it has ended, and all that it printed is in the logs. */
  readonly hasClosed: () => boolean
}

/** Node in a network namespace. `ip` becomes the program that it starts, so signals reach that. */
const nodeIn = (namespace: string | undefined): readonly [string, ...string[]] =>
  namespace === undefined ? [process.execPath] : ['ip', 'netns', 'exec', namespace, process.execPath]

function launch(data: string, { music = [], port = '0', env, flags = [], namespace }: NodeOptions): Running {
  const [program, ...before] = nodeIn(namespace)
  const folders = music.flatMap((folder) => ['--music', folder])
  const args = [main, 'up', '--data', data, '--port', port, ...folders, ...flags]
  const child = spawn(program, [...before, ...thrift.flags, ...args], {
    env: environment({
      ...thrift.env,
      HOCKET_ADMIN_USER: administrator.name,
      HOCKET_ADMIN_PASSWORD: administrator.password,
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (text: string) => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  let closed = false
  child.once('close', () => {
    closed = true
  })
  const logs = () => output
  watched.set(child, logs)
  return { child, logs, hasClosed: () => closed }
}

/** The person's own settings stay out of the tests. */
function environment(env: NodeOptions['env'] = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('HOCKET_'))
  return { ...Object.fromEntries(own), ...env }
}

const readyLine = /^Hocket is ready at (http:\/\/\S+)$/m

async function readiness(running: Running, signal: AbortSignal | undefined): Promise<string> {
  const { child, logs, hasClosed } = running
  const result = await waitFor(
    () => {
      const address = readyLine.exec(logs())?.[1]
      return address !== undefined || hasClosed() ? { address } : undefined
    },
    { what: 'the node to be ready', deadline: 120_000, ...(signal !== undefined && { signal }) },
  )
  if (result.address !== undefined) return result.address
  const how = child.exitCode ?? child.signalCode
  throw new Error(`The node ended (${how}) instead of getting ready:\n${logs()}`)
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

function testNode(
  { child, logs }: Running,
  baseUrl: string,
  data: string,
  temporary: TemporaryFolder | undefined,
): TestNode {
  const end = async (signal: NodeJS.Signals) => {
    if (hasEnded(child)) return child.exitCode
    child.kill(signal)
    await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })
    return child.exitCode
  }
  return {
    baseUrl,
    data,
    pid: child.pid ?? 0,
    get isRunning() {
      return !hasEnded(child)
    },
    logs,
    administrator: () => signIn(baseUrl, administrator),
    stop: () => end('SIGTERM'),
    async kill9() {
      await end('SIGKILL')
    },
    async [Symbol.asyncDispose]() {
      await end('SIGTERM').catch(() => end('SIGKILL'))
      await temporary?.[Symbol.asyncDispose]()
    },
  }
}

/** What this process has started. A failed test file shows what its nodes printed, and leaves none behind. */
const watched = new Map<ChildProcess, () => string>()
process.once('SIGTERM', () => process.exit(143))
process.on('exit', (code) => {
  for (const [child, logs] of watched) {
    if (!hasEnded(child)) child.kill('SIGKILL')
    if (code === 0 || logs() === '') continue
    const lines = logs().trimEnd().split('\n').slice(-150)
    process.stderr.write(
      `\n--- what the node with process id ${child.pid} printed last ---\n${lines.join('\n')}\n`,
    )
  }
})
