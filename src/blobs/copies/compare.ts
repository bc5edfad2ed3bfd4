import { setImmediate as turn } from 'node:timers/promises'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Blobs } from '../blobs.ts'
import { type ComparisonState, dropUrgency, type Queue, type Task } from './queue.ts'
import { belongsTo, type Referenced, type References, urgencyOf, type Whereabouts } from './whereabouts.ts'

export interface ComparerOptions {
  readonly self: Id
  /** Whether this node has the role `media`. */
  readonly isMedia: boolean
  readonly blobs: Pick<Blobs, 'size' | 'list'>
  readonly references: References
  readonly queue: Queue
}

export interface Comparer {
  /** Compares one blob, of which something has changed, with what should be here. */
  look(hash: BlobHash, where: Whereabouts): Promise<void>
  /**
   * Compares everything, and puts what is to be done into the queue. Goes on where it was, also after a restart, unless
   * the layout has changed since. Ends early, unfinished, where `isStale` says so.
   */
  compareAll(where: Whereabouts, isStale: () => boolean, signal: AbortSignal): Promise<void>
}

/** So many blobs are compared before others have their turn on the thread: a millisecond or two. */
const sliceBlobs = 200

/** What is, against what should be. Idempotent; it only adds tasks, and each is judged again when its turn has come. */
export function createComparer(options: ComparerOptions): Comparer {
  const { self, blobs, references, queue } = options
  /** Null where the blob needs not be here, or is. */
  async function pullOf(blob: Referenced, where: Whereabouts): Promise<Task | null> {
    if (!isWanted(self, where, blob)) return null
    if ((await blobs.size(blob.hash)) !== null) return null
    return { kind: 'pull', hash: blob.hash, size: blob.size, urgency: urgencyOf(self, where, blob) }
  }

  /** Null where the blob, which is here, should be; or where no fact refers to it: that is for `Blobs.collect`. */
  function dropOf(hash: BlobHash, size: number, where: Whereabouts): Task | null {
    const blob = references.get(hash)
    if (blob === null || !isSurplus(options, where, blob)) return null
    return { kind: 'drop', hash, size, urgency: dropUrgency }
  }

  async function compareWanted(state: ComparisonState, where: Whereabouts, isStale: () => boolean) {
    let { after, wanted, wantedBytes } = state
    for (;;) {
      const page = references.page(after === '' ? undefined : after, sliceBlobs)
      const tasks: Task[] = []
      for (const blob of page) {
        if (isWanted(self, where, blob)) {
          wanted += 1
          wantedBytes += blob.size
        }
        const task = await pullOf(blob, where)
        if (task !== null) tasks.push(task)
      }
      queue.add(tasks)
      after = page.at(-1)?.hash ?? after
      const isEnd = page.length < sliceBlobs
      queue.setComparison({
        ...state,
        wanted,
        wantedBytes,
        after: isEnd ? '' : after,
        phase: isEnd ? 'held' : 'wanted',
      })
      await turn()
      if (isEnd || isStale()) return
    }
  }

  async function compareHeld(
    state: ComparisonState,
    where: Whereabouts,
    isStale: () => boolean,
    signal: AbortSignal,
  ) {
    let tasks: Task[] = []
    let seen = 0
    for await (const { hash, size } of blobs.list(state.after === '' ? undefined : state.after, signal)) {
      const task = dropOf(hash, size, where)
      if (task !== null) tasks.push(task)
      seen += 1
      if (seen % sliceBlobs > 0) continue
      queue.add(tasks)
      queue.setComparison({ ...state, after: hash })
      tasks = []
      await turn()
      if (isStale()) return
    }
    queue.add(tasks)
    queue.setComparison({ ...state, phase: 'done', after: '', finishedAt: Date.now() })
  }

  return {
    async look(hash, where) {
      const blob = references.get(hash)
      if (blob === null) return
      const size = await blobs.size(hash)
      const task = size === null ? await pullOf(blob, where) : dropOf(hash, size, where)
      if (task !== null) queue.add([task])
    },

    async compareAll(where, isStale, signal) {
      const saved = queue.comparison()
      const isSame = saved?.version === where.version && saved.phase !== 'done'
      if (!isSame)
        queue.setComparison({
          version: where.version,
          phase: 'wanted',
          after: '',
          wanted: 0,
          wantedBytes: 0,
          finishedAt: 0,
        })
      for (let state = queue.comparison(); state !== null && !isStale(); state = queue.comparison()) {
        signal.throwIfAborted()
        if (state.phase === 'done') return
        if (state.phase === 'wanted') await compareWanted(state, where, isStale)
        else await compareHeld(state, where, isStale, signal)
      }
    },
  }
}

/** Whether a blob must be here by the current layout; a file in a music folder here is as good as one. */
export function isWanted(self: Id, { current }: Whereabouts, { hash, inPlace }: Referenced): boolean {
  return !inPlace.includes(self) && current.holders(hash, inPlace).includes(self)
}

/**
 * Whether the copy here may go. A node with the role `media` that is not in the layout keeps what it has: it leaves, or
 * comes back soon. Without the role, nothing belongs here.
 */
export function isSurplus(
  { self, isMedia }: { readonly self: Id; readonly isMedia: boolean },
  where: Whereabouts,
  blob: Referenced,
): boolean {
  return (where.current.has(self) || !isMedia) && !belongsTo(self, where, blob)
}
