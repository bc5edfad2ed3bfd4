import { parentPort } from 'node:worker_threads'
import { storeError } from '../store/sqlite-errors.ts'
import type { Entry } from '../store/store.ts'
import { carry, type Post, type Request } from '../store/thread.ts'
import { type Applied, createChanges, loadProjection } from './changes.ts'
import { createPartFile } from './file.ts'
import { sharedNumbers } from './numbers.ts'

/** A thread that fills one part of an index, in a file of its own, beside others that fill the other parts. */
export type PartCalls = {
  begin(input: PartInput): void
  take(input: { entries: readonly Entry[] }): Applied
  /** The part is complete, and its file closed. */
  finish(input: Record<never, never>): void
}

export interface PartInput {
  readonly path: string
  /** The module of the projection that is filled in parts. */
  readonly projection: string
  readonly numbers: SharedArrayBuffer
}

interface Part {
  take(entries: readonly Entry[]): Applied
  finish(): void
}

if (parentPort !== null) serve(parentPort)

function serve(port: NonNullable<typeof parentPort>) {
  let part: Part | undefined
  let turn = Promise.resolve()

  port.on('message', (request: Request<PartCalls>) => {
    turn = turn.then(async () => port.postMessage(await answer(request)))
  })

  async function answer(request: Request<PartCalls>): Promise<Post> {
    try {
      return { answers: [{ call: request.call, value: await carryOut(request) }] }
    } catch (error) {
      return { answers: [{ call: request.call, error: carry(storeError(error)) }] }
    }
  }

  async function carryOut(request: Request<PartCalls>) {
    if (request.name === 'begin') {
      part = await beginPart(request.input)
      return
    }
    if (part === undefined) throw new Error('no part has been begun')
    return request.name === 'take' ? part.take(request.input.entries) : part.finish()
  }
}

async function beginPart({ path, projection: url, numbers }: PartInput): Promise<Part> {
  const projections = [await loadProjection(url)]
  const db = createPartFile(path, projections)
  const changes = createChanges(db, projections, 'part', sharedNumbers(numbers))
  db.exec('BEGIN')

  return {
    take(entries) {
      const applied = changes.apply(entries)
      changes.flush()
      return applied
    },
    finish() {
      changes.filled()
      db.exec('COMMIT')
      db.close()
    },
  }
}
