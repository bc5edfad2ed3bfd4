import { storeError } from '../store/sqlite-errors.ts'
import type { Entry } from '../store/store.ts'
import { type Answer, carry, type Request } from '../store/thread.ts'
import {
  type Applied,
  type ChangeWriter,
  createChanges,
  loadProjection,
  nothing,
  sum,
  writeRevision,
} from './changes.ts'
import { createFillingFile, reopenFillingFile, type StoreState } from './file.ts'
import { beginParts } from './parts.ts'
import type { OpenInput } from './writer-thread.ts'

/**
 * The process that fills an empty index from a large store, in a file beside it and without a flush. It is a process
 * of its own because it takes memory, which goes back whole when it ends and from a thread would not.
 */
export type FillCalls = {
  begin(input: FillInput): void
  /** Facts that have not been given before, or not in this form, in the order of the store. */
  take(input: { entries: readonly Entry[] }): Applied
  /** All facts have been given, as of `revision`: the file is complete and closed. Answers what `take` has not said. */
  finish(input: { revision: number }): Applied
}

export interface FillInput extends Omit<OpenInput, 'store'> {
  readonly store: StoreState
  /** The size of the store, from which follows how many names there may be. */
  readonly bytes: number
  /** How many threads fill a part each; 1: none but this one. */
  readonly parts: number
}

let fill: Fill | undefined

process.on('message', async (request: Request<FillCalls>) => process.send?.(await answer(request)))
process.on('disconnect', () => process.exit())

async function answer(request: Request<FillCalls>): Promise<Answer> {
  try {
    return { call: request.call, value: await carryOut(request) }
  } catch (error) {
    return { call: request.call, error: carry(storeError(error)) }
  }
}

async function carryOut(request: Request<FillCalls>) {
  if (request.name === 'begin') {
    fill = await beginFill(request.input)
    return
  }
  if (fill === undefined) throw new Error('nothing is being filled')
  return request.name === 'take' ? fill.take(request.input.entries) : fill.finish(request.input.revision)
}

interface Fill {
  take(entries: readonly Entry[]): Promise<Applied>
  finish(revision: number): Promise<Applied>
}

async function beginFill(input: FillInput): Promise<Fill> {
  const { path, projections: urls, store } = input
  const projections = await Promise.all(urls.map(loadProjection))
  let db = createFillingFile(path, projections, store.id)
  const parts = await beginParts(input, projections)
  let changes: ChangeWriter | undefined
  let ended: Promise<void> | undefined

  /** The whole index, when its parts, if there are any, are in it; and what they have done since. */
  async function putTogether(): Promise<{ whole: ChangeWriter; applied: Applied }> {
    const { merge, applied } = await parts.finish()
    if (merge !== undefined) {
      await merge(db)
      db.close()
      ended = Promise.resolve(parts[Symbol.asyncDispose]())
      // Its failure is met at the end; until then it must not count as unhandled.
      ended.catch(() => undefined)
      db = reopenFillingFile(path)
    }
    db.exec('BEGIN')
    changes = createChanges(db, projections, merge === undefined ? 'fill' : 'rest')
    return { whole: changes, applied }
  }

  return {
    async take(entries) {
      const { others, applied } =
        changes === undefined ? await parts.take(entries) : { others: entries, applied: nothing }
      if (others.length === 0) return applied
      const { whole, applied: last } =
        changes === undefined ? await putTogether() : { whole: changes, applied: nothing }
      const now = whole.apply(others)
      whole.flush()
      return sum(applied, last, now)
    },
    async finish(revision) {
      const { whole, applied } =
        changes === undefined ? await putTogether() : { whole: changes, applied: nothing }
      whole.flush()
      whole.filled()
      for (const { indexes } of projections) if (indexes !== undefined) db.exec(indexes)
      writeRevision(db, revision)
      db.exec('COMMIT')
      db.close()
      await ended
      return applied
    },
  }
}
