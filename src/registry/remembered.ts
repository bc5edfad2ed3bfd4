import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import * as facts from '../protocol/facts/cluster.ts'
import { writeSecret } from './trust/identity.ts'

/**
 * Whom this node knew last, in `node/known.json` (0600): one that starts while the store is away finds the others by it,
 * and believes those that it believed before. The store's word replaces it as soon as there is one.
 */
const remembered = z.object({ members: z.array(facts.member), presences: z.array(facts.presence) })
export type Remembered = Readonly<z.infer<typeof remembered>>

export interface Memory {
  /** As the last start left it; nobody where there is no such file, or it cannot be read. */
  readonly last: Remembered
  /** Writes it down where it says something else than before; what fails is tried with the next change. */
  keep(now: Remembered): void
  /** Resolves when what was to be kept has been written. */
  settled(): Promise<void>
}

const nobody: Remembered = { members: [], presences: [] }

export async function openMemory(data: string, onError: (error: unknown) => void): Promise<Memory> {
  const folder = join(data, 'node')
  const last = await readLast(join(folder, 'known.json'))
  let shape = shapeOf(last)
  let writing = Promise.resolve()
  return {
    last,
    keep(now) {
      const next = shapeOf(now)
      if (next === shape) return
      shape = next
      writing = writing.then(() => writeSecret(folder, 'known.json', JSON.stringify(now))).catch(onError)
    },
    settled: () => writing,
  }
}

async function readLast(path: string): Promise<Remembered> {
  try {
    return remembered.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return nobody
  }
}

/** What does not change by the second: load and free space are of no use later. */
function shapeOf({ members, presences }: Remembered): string {
  return JSON.stringify([
    members,
    presences.map(({ id, addresses, publicUrl }) => [id, addresses, publicUrl]),
  ])
}
