import { storeError } from '../store/sqlite-errors.ts'
import type { Entry } from '../store/store.ts'
import { type Answer, carry, type Request } from '../store/thread.ts'
import { type Applied, createChanges, loadProjection, writeRevision } from './changes.ts'
import { createFillingFile, type StoreState } from './file.ts'
import type { Projection } from './projection.ts'
import type { OpenInput } from './writer-thread.ts'

/**
 * The process that fills an empty index from a large store, in a file beside it and in one transaction. It is a process
 * of its own because it takes memory, which goes back whole when it ends and from a thread would not.
 */
export type FillCalls = {
  begin(input: Omit<OpenInput, 'store'> & { readonly store: StoreState }): void
  /** Facts that have not been given before, or not in this form. */
  take(input: { entries: readonly Entry[] }): Applied
  /** All facts have been given, as of `revision`: the file is complete and closed. */
  finish(input: { revision: number }): void
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
    const projections = await Promise.all(request.input.projections.map(loadProjection))
    fill = beginFill(request.input.path, projections, request.input.store.id)
    return
  }
  if (fill === undefined) throw new Error('nothing is being filled')
  return request.name === 'take' ? fill.take(request.input.entries) : fill.finish(request.input.revision)
}

interface Fill {
  take(entries: readonly Entry[]): Applied
  finish(revision: number): void
}

function beginFill(path: string, projections: readonly Projection[], storeId: string): Fill {
  const db = createFillingFile(path, projections, storeId)
  const changes = createChanges(db, projections, 'fill')
  db.exec('BEGIN')

  return {
    take(entries) {
      const applied = changes.apply(entries)
      changes.flush()
      return applied
    },
    finish(revision) {
      changes.filled()
      for (const { indexes } of projections) if (indexes !== undefined) db.exec(indexes)
      writeRevision(db, revision)
      db.exec('COMMIT')
      db.close()
    },
  }
}
