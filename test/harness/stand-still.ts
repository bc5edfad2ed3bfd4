import { readdir, readFile } from 'node:fs/promises'
import { waitFor } from './wait.ts'

/**
 * Stops a process where it stands (SIGSTOP), and answers once all of its threads do stand. SIGCONT lets it go on.
 */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await stands(pid)
}

/**
 * Waits until a process that has been sent SIGSTOP does nothing more. The signal alone promises less: a thread that
 * works on another processor, or waits for its disk, finishes first, and may yet answer whoever asks meanwhile.
 */
export async function stands(pid: number): Promise<void> {
  await waitFor(async () => (await statesOf(pid)).every((state) => still.has(state)), {
    what: `process ${pid} to stand still`,
    deadline: 10_000,
  })
}

/** Stopped; or ended, and waiting for a parent that may stand still itself to take note of it. */
const still: ReadonlySet<string> = new Set(['T', 'Z', 'X'])

/** A letter for each thread (proc(5)). */
async function statesOf(pid: number): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lines = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => undefined)),
  )
  return lines.flatMap((line) => (line === undefined ? [] : [line.charAt(line.lastIndexOf(')') + 2)]))
}
