import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { stands } from './stand-still.ts'

const run = promisify(execFile)

/** Names of namespaces begin with this, and with the id of the process that made them. */
const prefix = 'hkt'
const ours = new RegExp(`^(${prefix}(\\d+)x\\d+)`)

/** With what all names of a network begin. It fits the name of a device, which has 15 letters at most. */
export const nameOfNetwork = (number: number) => `${prefix}${process.pid}x${number}`

/** One machine of a network. */
export interface Host {
  readonly address: string
  /** The name of its namespace, for `ip netns exec`. */
  readonly namespace: string
  /** The processes that run on it; those with this name, where one is given. */
  processes(name?: string): Promise<number[]>
  /** Sends all of these a signal at once, and answers how many there were; after SIGSTOP once they all stand. */
  signal(signal: NodeJS.Signals, name?: string): Promise<number>
}

/** A machine that is there already, with this namespace and this address. */
export function createHost(address: string, namespace: string): Host {
  async function processes(name?: string): Promise<number[]> {
    const { stdout } = await run('ip', ['netns', 'pids', namespace])
    const all = stdout.split('\n').filter(Boolean).map(Number)
    return name === undefined ? all : all.filter((pid) => nameOf(pid) === name)
  }
  return {
    address,
    namespace,
    processes,
    async signal(signal, name) {
      const found = await processes(name)
      for (const pid of found) send(pid, signal)
      if (signal === 'SIGSTOP') await Promise.all(found.map(stands))
      return found.length
    },
  }
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return undefined
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** Ends all processes in the namespaces whose names begin so, and removes them. */
export async function removeAll(base: string): Promise<void> {
  for (const namespace of namespaces().filter((name) => name.startsWith(base))) {
    const { stdout } = await run('ip', ['netns', 'pids', namespace])
    for (const pid of stdout.split('\n').filter(Boolean)) send(Number(pid), 'SIGKILL')
    await run('ip', ['netns', 'del', namespace])
  }
}

/** The same, at once: for the end of a process. */
export function removeNow(base: string): void {
  for (const namespace of namespaces().filter((name) => name.startsWith(base))) {
    const pids = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
    for (const pid of pids.split('\n').filter(Boolean)) send(Number(pid), 'SIGKILL')
    execFileSync('ip', ['netns', 'del', namespace])
  }
}

/** Removes what tests left that were killed: those of processes that are no more. */
export async function removeLeftovers(): Promise<void> {
  const left = namespaces().flatMap((name) => {
    const [, base = '', pid = ''] = ours.exec(name) ?? []
    return base !== '' && nameOf(Number(pid)) === undefined ? [base] : []
  })
  for (const base of new Set(left)) await removeAll(base)
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns')
  } catch {
    return []
  }
}
