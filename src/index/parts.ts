import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { text } from '../store/row.ts'
import type { Entry } from '../store/store.ts'
import { createThread, type Thread } from '../store/thread.ts'
import { type Applied, nothing, sum } from './changes.ts'
import { mostParts, partPath, removeParts } from './file.ts'
import type { PartCalls } from './fill-part.ts'
import type { FillInput } from './fill-process.ts'
import { shareNumbers } from './numbers.ts'
import type { Attached, Parts, Projection } from './projection.ts'

/** The threads that fill parts of an index, each in a file of its own. */
export interface PartFillers extends AsyncDisposable {
  /** Hands on what is to be divided; answers the other facts, and what the parts have done since. */
  take(entries: readonly Entry[]): Promise<{ readonly others: readonly Entry[]; readonly applied: Applied }>
  /** Waits until the parts are complete. To be called once. */
  finish(): Promise<FilledParts>
}

export interface FilledParts {
  readonly applied: Applied
  /** Puts the parts into the empty tables of an index; undefined where there are none. */
  readonly merge: ((db: DatabaseSync) => Promise<void>) | undefined
}

/**
 * Bytes of the store for each name that there may be: real ones take twenty times as many. And how many there are at most,
 * which take 25 MB.
 */
const bytesOfName = 64
const mostNames = 2_097_152
/** Pieces that wait for a thread, so that none waits while another has the larger ones: some hundred kilobytes each. */
const waitingPieces = 16
/** The last step of a part takes as long as all others together, at worst. */
const deadline = 3_600_000

/** Starts the threads; where there is nothing to divide, or nobody to share it with, none, and all facts are `others`. */
export async function beginParts(input: FillInput, projections: readonly Projection[]): Promise<PartFillers> {
  const at = projections.findIndex(({ parts }) => parts !== undefined)
  const parts = projections[at]?.parts
  const projection = input.projections[at]
  if (parts === undefined || projection === undefined || input.parts < 2) return alone
  const { prefix, merge } = parts
  const numbers = shareNumbers(Math.min(input.bytes / bytesOfName, mostNames))
  const paths = Array.from({ length: Math.min(input.parts, mostParts) }, (_, each) =>
    partPath(input.path, each),
  )
  const lanes = await Promise.all(paths.map((path) => openLane({ path, projection, numbers })))
  let applied: Applied[] = []
  const gathered = () => {
    const all = sum(...applied)
    applied = []
    return all
  }

  return {
    async take(entries) {
      const shares = lanes.map((): Entry[] => [])
      const others: Entry[] = []
      for (const entry of entries) {
        if (entry.key.startsWith(prefix)) shares[laneOf(entry.key, prefix, lanes.length)]?.push(entry)
        else others.push(entry)
      }
      for (const [each, share] of shares.entries()) {
        if (share.length > 0) applied.push(...((await lanes[each]?.take(share)) ?? []))
      }
      return { others, applied: gathered() }
    },
    async finish() {
      applied.push(...(await Promise.all(lanes.map((lane) => lane.finish()))).flat())
      const indexes = projections.map((each) => each.indexes ?? '').join('\n')
      const attached = paths.map((path, each) => ({ name: `part${each}`, path }))
      return { applied: gathered(), merge: (db) => mergeParts(db, attached, indexes, merge) }
    },
    async [Symbol.asyncDispose]() {
      for (const lane of lanes) await lane.end()
      await removeParts(input.path)
    },
  }
}

const alone: PartFillers = {
  take: async (entries) => ({ others: entries, applied: nothing }),
  finish: async () => ({ applied: nothing, merge: undefined }),
  [Symbol.asyncDispose]: async () => undefined,
}

/** Which thread takes a fact: what has the same name up to the next slash goes to the same one. */
function laneOf(key: string, prefix: string, lanes: number): number {
  const end = key.indexOf('/', prefix.length)
  return crc32(end === -1 ? key : key.slice(0, end)) % lanes
}

/** A thread with the pieces that wait for it. */
async function openLane(input: Parameters<PartCalls['begin']>[0]) {
  const thread: Thread<PartCalls> = createThread<PartCalls>({
    url: new URL('./fill-part.ts', import.meta.url),
    name: 'part of an index',
    heap: { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 24 },
  })
  await thread.call('begin', input, { deadline })
  const waiting: Promise<Applied>[] = []

  return {
    /** Answers what has been done meanwhile. */
    async take(entries: readonly Entry[]): Promise<Applied[]> {
      const piece = thread.call('take', { entries }, { deadline })
      // Its failure is met when it is waited for; until then it must not count as unhandled.
      piece.catch(() => undefined)
      waiting.push(piece)
      return await Promise.all(waiting.splice(0, waiting.length - waitingPieces))
    },
    async finish(): Promise<Applied[]> {
      const all = await Promise.all(waiting.splice(0))
      await thread.call('finish', {}, { deadline })
      return all
    },
    end: () => thread.end(),
  }
}

/** Indexes are made from full tables: that costs a tenth of keeping them while these are filled. */
async function mergeParts(
  db: DatabaseSync,
  parts: readonly Attached[],
  others: string,
  merge: Parts['merge'],
): Promise<void> {
  const made = db
    .prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    .all()
  for (const { name, path } of parts) db.prepare('ATTACH ? AS ?').run(path, name)
  db.exec('BEGIN')
  for (const { name } of made) db.exec(`DROP INDEX main.${text(name)}`)
  for (const { name } of parts) db.exec(`INSERT INTO main.index_keys SELECT * FROM ${name}.index_keys`)
  await merge(db, parts, () => {
    for (const { sql } of made) db.exec(text(sql))
    db.exec(others)
  })
  db.exec('COMMIT')
}
