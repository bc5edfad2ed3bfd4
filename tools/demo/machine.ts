import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from '../../test/harness/wait.ts'
import { thrift } from '../launch/thrift.mjs'
import { findRoot } from '../steps.ts'
import { isRowFree } from './ports.ts'

/** One of the machines of the demonstration: a Hocket with its etcd, in processes and folders of its own. */
export interface Machine {
  readonly name: string
  readonly url: string
  readonly data: string
  /** Where its member of etcd answers. */
  readonly etcdUrl: string
  /** The process as it runs now, or ran last. */
  readonly pid: number
  /** What it printed last, for a person who wonders why it does not start. */
  logs(): string
  /** Runs one command of `hocket` with its settings, and answers what it printed. */
  command(...args: readonly string[]): Promise<string>
  /** Starts it, the first time perhaps with `--join` and such; resolves when it is ready. */
  start(...flags: readonly string[]): Promise<void>
  /** Resolves when the process that runs now has ended, however it did. */
  ended(): Promise<void>
  /** Ends it and its etcd at once, as a power cut does. */
  cut(): Promise<void>
}

export interface MachineSettings {
  readonly name: string
  readonly data: string
  /** The first of its row. */
  readonly port: number
  readonly administrator: { readonly name: string; readonly password: string }
  readonly signal: AbortSignal
}

const main = join(findRoot(), 'src', 'main.ts')
const ready = /^Hocket is ready at /m
/** Milliseconds. */
const startDeadline = 120_000
/** Characters of what it printed. */
const remembered = 20_000

export function createMachine({ name, data, port, administrator, signal }: MachineSettings): Machine {
  const env = environment({
    ...thrift.env,
    HOCKET_NAME: name,
    HOCKET_DATA: data,
    HOCKET_ADDRESS: '127.0.0.1',
    HOCKET_PORT: String(port),
    HOCKET_PEER_PORT: String(port + 1),
    HOCKET_ETCD_PORT: String(port + 2),
    HOCKET_ADMIN_USER: administrator.name,
    HOCKET_ADMIN_PASSWORD: administrator.password,
  })
  let child: ChildProcess | undefined
  let output = ''
  const collect = (text: string) => {
    output = (output + text).slice(-remembered)
  }

  async function start(...flags: readonly string[]): Promise<void> {
    // The etcd of the process before may still be ending.
    await waitFor(() => isRowFree(port), { what: `the ports of ${name} to be free`, signal })
    output = ''
    // A group of its own: what a terminal sends to us at Ctrl+C is not for it, and it can be ended with its etcd.
    const started = spawn(process.execPath, [...thrift.flags, main, 'up', ...flags], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    started.on('error', (error) => collect(error.message))
    started.stdout.setEncoding('utf8').on('data', collect)
    started.stderr.setEncoding('utf8').on('data', collect)
    const { isReady } = await waitFor(
      () => (ready.test(output) ? { isReady: true } : hasEnded(started) && { isReady: false }),
      { what: `${name} to be ready`, deadline: startDeadline, signal },
    )
    if (!isReady) throw new Error(`${name} ended instead of getting ready:\n${output}`)
  }

  return {
    name,
    url: `http://127.0.0.1:${port}`,
    data,
    etcdUrl: `https://127.0.0.1:${port + 2}`,
    get pid() {
      return child?.pid ?? 0
    },
    logs: () => output,
    start,
    async command(...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { env, signal })
      return stdout
    },
    async ended() {
      if (child !== undefined && !hasEnded(child)) await once(child, 'exit', { signal })
    },
    async cut() {
      if (child?.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // All of them have ended already.
      }
      await waitFor(() => isRowFree(port), { what: `${name} to have ended` })
    },
  }
}

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

/** The person's own settings are for their own Hocket. */
function environment(added: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('HOCKET_'))
  return { ...Object.fromEntries(own), ...added }
}
