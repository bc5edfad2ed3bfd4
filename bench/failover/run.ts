import { readFile } from 'node:fs/promises'
import type { DemoCluster } from '../../tools/demo/cluster.ts'
import type { Machine } from '../../tools/demo/machine.ts'

/** What both parts are given. */
export interface Run {
  readonly cluster: DemoCluster
  readonly minutes: number
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

/** The numbers of the kills, up to `most`, as long as there is time. */
export function* kills({ minutes, signal }: Run, most: number): Generator<number> {
  const end = performance.now() + minutes * 60_000
  for (let kill = 1; kill <= most && performance.now() < end; kill += 1) {
    signal.throwIfAborted()
    yield kill
  }
}

/** Cuts a machine off and answers when, on the clock of `performance.now`. It is made whole again by `mend`. */
export async function cut(machine: Machine): Promise<number> {
  const at = performance.now()
  process.kill(-machine.pid, 'SIGKILL')
  await machine.cut()
  return at
}

/** Starts it again, and waits until all are there and every song has its copies. */
export async function mend(cluster: DemoCluster, machine: Machine): Promise<void> {
  await machine.start()
  await cluster.whole()
}

/** Bytes that a process has written so far, to files and to sockets. */
export async function written(pid: number): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** Rounded, for people; null where there are none. */
export function quantiles(values: readonly number[]) {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
    return value === undefined ? null : Math.round(value)
  }
  return { p50: at(0.5), p99: at(0.99), longest: at(1) }
}
