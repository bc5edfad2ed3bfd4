import { setTimeout as pause } from 'node:timers/promises'
import type { DemoCluster } from './cluster.ts'
import type { Machine } from './machine.ts'

/** How long a machine that was killed stays dead, so that a person hears that it is not missed. */
const deadSeconds = 20

/** Says what to try, and starts again what the person kills, until the signal. */
export async function show(
  { machines, administrator }: DemoCluster,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<never> {
  const [first, second] = machines
  for (const { name, url, pid } of machines) tell(`  ${name.padEnd(8)} ${url}   process ${pid}`)
  tell(`
Try this:
  1. Open ${second?.url}, sign in as ${administrator.name} with the password ${administrator.password}, and play an album.
  2. In another terminal, kill the machine that has the music, while it plays:
       kill -9 ${first?.pid}
     Or the one that serves your page (kill -9 ${second?.pid}), or whichever you like. You hear nothing of it:
     another one takes over. It is started again after ${deadSeconds} s.

Kill one at a time: of each song there are two copies, and two of the three are needed to save anything.
Ctrl+C ends all of it, and removes its folder.
`)
  return await Promise.race(machines.map((machine) => keep(machine, tell, signal)))
}

async function keep(machine: Machine, tell: (line: string) => void, signal: AbortSignal): Promise<never> {
  for (;;) {
    await machine.ended()
    signal.throwIfAborted()
    tell(`${machine.name} is dead. Do you hear anything? It is started again in ${deadSeconds} s.`)
    await pause(deadSeconds * 1_000, undefined, { signal })
    await machine.start()
    tell(`${machine.name} is back: process ${machine.pid}.`)
  }
}
