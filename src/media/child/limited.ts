import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Limits {
  /** Memory that the process may take for itself, in bytes. */
  readonly memoryBytes: number
  /** Time on the processor over its whole life, in seconds. */
  readonly cpuSeconds: number
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Starts a TypeScript program of ours in a process of its own, for what law S1 forbids here: decoding what others made.
 * It gets no environment (no secrets, no proxies) but the place where Node keeps what it has made of our TypeScript, which
 * halves its start; a lower priority than the process that serves audio; and, where there is a POSIX shell, hard limits
 * on memory and processor time: the kernel ends it where it passes them.
 */
export function startLimited(program: URL, limits: Limits): Child {
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--max-old-space-size=128',
    '--max-semi-space-size=1',
    fileURLToPath(program),
  ]
  const kibibytes = Math.floor(limits.memoryBytes / 1_024)
  const limit = `ulimit -c 0; ulimit -d ${kibibytes}; ulimit -t ${limits.cpuSeconds}; exec "$@"`
  const [command = process.execPath, ...parameters] =
    process.platform === 'win32' ? node : ['/bin/sh', '-c', limit, 'sh', ...node]
  const child = spawn(command, parameters, {
    env: environment(),
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  // A child that has died is reported by its `close` event; that nobody reads its input any more is no news besides.
  child.stdin.on('error', () => {})
  child.on('error', () => {})
  if (child.pid !== undefined) lowerPriority(child.pid)
  return child
}

function environment(): NodeJS.ProcessEnv {
  // The folder's last part names this Node and its flags. The child has other flags, and a part of its own.
  const folder = getCompileCacheDir()
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10)
  } catch {
    // It has ended already, or the system does not let us: then it runs at our own priority.
  }
}
