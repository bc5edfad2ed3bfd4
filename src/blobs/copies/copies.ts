import { setTimeout as pause } from 'node:timers/promises'
import { CodedError, type ErrorCode, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Blobs } from '../blobs.ts'
import type { BlobPeers } from '../peers.ts'
import { createComparer, isSurplus, isWanted } from './compare.ts'
import { createFetch, type Fetch } from './fetch.ts'
import { createPuller, isDiskTrouble } from './pull.ts'
import { type DueTask, dropUrgency, lostProblem, openQueue } from './queue.ts'
import type { OpenWhole } from './reading.ts'
import { createSpeed } from './speed.ts'
import { likelyHolders, type References, type Whereabouts } from './whereabouts.ts'

export interface CopiesOptions {
  readonly self: Id
  /** Whether this node has the role `media`: without it, no copy belongs here. */
  readonly isMedia: boolean
  readonly blobs: Pick<Blobs, 'keep' | 'size' | 'list' | 'remove'>
  readonly peers: BlobPeers
  /** Fetches what nobody waits for. */
  readonly fetchAside: Fetch
  readonly references: References
  /** The layout as it is now; null while none is known: then nothing is done. */
  readonly where: () => Whereabouts | null
  /** The file of the queue. */
  readonly queuePath: string
  readonly onEvent: (event: CopiesEvent) => void
  /** How often everything is compared though nothing seems to have changed, in milliseconds. */
  readonly compareEveryMs: number
}

export type CopiesEvent =
  /** A node sent bytes that are not those of the name; they were not kept (B1). */
  | { readonly kind: 'mismatch'; readonly node: Id; readonly hash: BlobHash }
  /** No live node has this blob; it is looked for again, ever more seldom. */
  | { readonly kind: 'lost'; readonly hash: BlobHash }
  | { readonly kind: 'trouble'; readonly error: unknown }

/** What a node shows of its copies. Bytes and blobs are of this node. */
export interface CopiesStatus {
  /** The version of the layout that was compared last, or is being compared. */
  readonly version: number
  /** Null while nothing is being compared; else the name of the blob that it has come to. */
  readonly comparing: BlobHash | null
  readonly wanted: number
  readonly wantedBytes: number
  readonly here: number
  readonly missing: number
  readonly missingBytes: number
  /** Copies that belong elsewhere by now, and go when the others have been verified (B4). */
  readonly surplus: number
  /** Of the missing ones: those that no live node has. */
  readonly lost: number
  /** Copied in the last seconds. */
  readonly bytesPerSecond: number
  /** Copied since the start. */
  readonly copiedBytes: number
  /** Why nothing can be kept at the moment: DISK_FULL, DISK_READ_ONLY, DISK_FAILED. */
  readonly problem: ErrorCode | null
  /** The newest layout of which every copy that can be had is here. */
  readonly filled: number
}

/** Keeps the copies here as they should be. Disposing of it ends the work and waits for that. */
export interface Copies extends AsyncDisposable {
  /** Something has changed: the layout, or which nodes live. Cheap; call it as often as you like. */
  wake(): void
  /** A blob has come into use, or its files in music folders have changed. */
  look(hash: BlobHash): void
  /** Blobs have come into use or gone out of it, or a layout is filled: everything is compared again soon. */
  recount(): void
  /** Brings a blob here now, for a reader who needs a file. BLOB_MISSING, UNREACHABLE, those of the disk. */
  bring(hash: BlobHash, signal: AbortSignal): Promise<void>
  status(): CopiesStatus
  /** Blobs that no live node has. */
  lost(limit: number): BlobHash[]
}

/** The first pause after a failure and the longest, in milliseconds; each is about twice as long as the one before. */
const retries = {
  /** A live node that did not answer soon does again. */
  silent: [500, 30_000],
  /** Where nobody has it, asking again seldom helps before a node comes back, and then all is due at once. */
  lost: [60_000, 600_000],
  /** Copies that should be elsewhere are not there, or not sound: finding that out may cost reading all of them. */
  needed: [1_000, 3_600_000],
  other: [1_000, 600_000],
} as const
/** While the disk is full or failing, nothing is tried. */
const diskRestMs = 5_000
/**
 * So many blobs are on their way here at once: one of them hides how long the other takes to be asked for, flushed and given
 * its name. With more, threads only displace each other.
 */
const atOnce = 2
/** The longest time without a look at the queue. */
const restMs = 5_000
/** Counting again what is wanted takes at most a twentieth of the time, and is not done more often than this. */
const recountShare = 20
const recountMs = 2_000

/**
 * Compares what should be here with what is, pulls what is missing and drops what is surplus. Level-triggered: every
 * task is judged anew when its turn comes, so that a kill at any point, a task too many, or a lost queue cost only work.
 */
export function startCopies(options: CopiesOptions): Copies {
  const { self, isMedia, blobs, peers, references, where, onEvent } = options
  const ending = new AbortController()
  const { signal } = ending
  const queue = openQueue(options.queuePath)
  const comparer = createComparer({ self, isMedia, blobs, references, queue })
  const speed = createSpeed(() => performance.now())
  const onMismatch = (node: Id, hash: BlobHash) => onEvent({ kind: 'mismatch', node, hash })
  const pull = createPuller({ blobs, fetch: options.fetchAside, onMismatch })
  /** For a reader who waits: here, where nothing has a lower priority. */
  const openWhole: OpenWhole = (node, hash, signal) => peers.open(node, hash, 'copy', signal)
  const pullNow = createPuller({ blobs, fetch: createFetch(openWhole), onMismatch })
  const active = new Map<BlobHash, Promise<void>>()
  const looks = new Set<BlobHash>()
  const trouble = (error: unknown) => {
    if (!signal.aborted) onEvent({ kind: 'trouble', error })
  }
  let poke = Promise.withResolvers<void>()
  let comparing: Promise<void> | null = null
  let problem: CodedError | null = null
  let problemUntil = 0
  /** Until then nothing is begun, since what becomes of it could not be noted. */
  let queueRestsUntil = 0
  let filled = 0
  /** What the last comparison counted; while one runs, it has not counted everything yet. */
  let counted = { wanted: 0, wantedBytes: 0 }
  let copiedBytes = 0
  let isOutdated = false
  let comparedInMs = 0
  let liveBefore = peers.live()

  function wake(): void {
    poke.resolve()
  }

  function isComparisonDue(now: Whereabouts): boolean {
    const state = queue.comparison()
    if (state === null || state.version !== now.version || state.phase !== 'done') return true
    const recountAfterMs = isOutdated
      ? Math.max(recountMs, comparedInMs * recountShare)
      : options.compareEveryMs
    return Date.now() - state.finishedAt > Math.min(recountAfterMs, options.compareEveryMs)
  }

  /** Looks, while the work goes on, whether everything must be compared, and does it. */
  function compareIfDue(now: Whereabouts): void {
    if (comparing !== null || !isComparisonDue(now)) return
    const isStale = () => where()?.version !== now.version
    const startedAt = performance.now()
    isOutdated = false
    comparing = comparer
      .compareAll(now, isStale, signal)
      .catch(trouble)
      .finally(() => {
        comparedInMs = performance.now() - startedAt
        comparing = null
        wake()
      })
  }

  async function pullTask({ hash, size }: DueTask, now: Whereabouts): Promise<void> {
    const blob = references.get(hash)
    if (blob === null || !isWanted(self, now, blob) || (await blobs.size(hash)) !== null) return
    await pull({ hash, size }, likelyHolders(now, blob, peers.live()), signal)
    speed.count(size)
    copiedBytes += size
  }

  /** Only when every node that is to hold the blob has just read its copy and vouches for it (B4). */
  async function dropTask({ hash }: DueTask, now: Whereabouts): Promise<void> {
    const blob = references.get(hash)
    if (blob === null || !isSurplus(options, now, blob)) return
    const others = now.current.holders(hash, blob.inPlace).filter((node) => node !== self)
    const live = peers.live()
    if (!others.every((node) => live.includes(node)))
      throw new CodedError('LAST_COPY', 'a node that is to hold it is away')
    const verifyOthers = async () => {
      // Nobody reads a copy whole in vain while another one is known to be missing.
      const sizes = await Promise.all(others.map((node) => peers.size(node, hash, signal)))
      if (!sizes.every((size) => size === blob.size)) return 0
      const vouched = await Promise.all(others.map((node) => peers.vouch(node, hash, signal)))
      return vouched.every(Boolean) ? others.length : 0
    }
    await blobs.remove(hash, verifyOthers, signal)
  }

  async function work(task: DueTask, now: Whereabouts): Promise<void> {
    try {
      await (task.kind === 'pull' ? pullTask(task, now) : dropTask(task, now))
      queue.done(task)
      problem = null
    } catch (error) {
      if (signal.aborted) return
      settle(task, error)
    }
  }

  /** Puts a task off that has failed. */
  function settle(task: DueTask, error: unknown): void {
    const { hash, attempts } = task
    if (isDiskTrouble(error)) {
      if (problem?.code !== error.code) trouble(error)
      problem = error
      problemUntil = Date.now() + diskRestMs
      return
    }
    const kind = kindOf(error)
    if (kind === 'lost' && attempts === 0) onEvent({ kind: 'lost', hash })
    if (!isCoded(error)) trouble(error)
    const [shortest, longest] = retries[kind]
    // Nodes that drop the same blob refuse each other: chance lets one come first.
    const wait = Math.min(shortest * 2 ** attempts, longest) * (0.5 + Math.random())
    try {
      queue.failed(task, Date.now() + wait, isCoded(error) ? error.code : 'INTERNAL')
    } catch (failure) {
      // The file of the queue cannot be written either: its disk is full. The task stays due, and all of them rest.
      trouble(failure)
      queueRestsUntil = Date.now() + diskRestMs
    }
  }

  function startDue(now: Whereabouts): void {
    if (Date.now() < queueRestsUntil) return
    // Where nothing can be kept, what may go still makes room.
    const leastUrgency = Date.now() < problemUntil ? dropUrgency : 0
    for (const task of queue.due(Date.now(), atOnce, leastUrgency)) {
      if (active.has(task.hash) || active.size >= atOnce) continue
      const done = work(task, now).finally(() => {
        active.delete(task.hash)
        wake()
      })
      active.set(task.hash, done)
    }
  }

  /** A node that has come may have what was lost, or vouch for what could not be dropped. */
  async function retryWhereNodesCame(): Promise<void> {
    const live = peers.live()
    const hasCome = live.some((node) => !liveBefore.includes(node))
    liveBefore = live
    if (hasCome) await queue.retryAll(Date.now(), signal)
  }

  /** Answers how long it may rest afterwards, in milliseconds. */
  async function step(): Promise<number> {
    await retryWhereNodesCame()
    const now = where()
    if (now === null) return restMs
    for (const hash of looks) {
      looks.delete(hash)
      await comparer.look(hash, now)
    }
    compareIfDue(now)
    startDue(now)
    // What is at work wakes it when it has ended.
    if (active.size > 0) return restMs
    const due = queue.nextDue() ?? Number.POSITIVE_INFINITY
    return Math.min(Math.max(due, problemUntil, queueRestsUntil) - Date.now(), restMs)
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      poke = Promise.withResolvers<void>()
      const rest = await step().catch((error: unknown) => {
        trouble(error)
        return restMs
      })
      const timer = new AbortController()
      const late = pause(Math.max(rest, 1), undefined, { signal: timer.signal, ref: false }).catch(
        () => undefined,
      )
      await Promise.race([poke.promise, late])
      timer.abort()
    }
  }

  const running = run()

  return {
    wake,
    look(hash) {
      looks.add(hash)
      wake()
    },
    recount() {
      isOutdated = true
    },
    async bring(hash, bringSignal) {
      const blob = references.get(hash)
      if ((await blobs.size(hash)) !== null) return
      const nodes = likelyHolders(where(), blob ?? { hash, inPlace: [] }, peers.live())
      await pullNow(
        { hash, ...(blob !== null && { size: blob.size }) },
        nodes,
        AbortSignal.any([signal, bringSignal]),
      )
      looks.add(hash)
    },

    status() {
      const { pulls, pullBytes, drops, lost } = queue.counts()
      const state = queue.comparison()
      if (state !== null && (state.phase !== 'wanted' || counted.wanted === 0)) counted = state
      const { wanted, wantedBytes } = counted
      if (state?.phase === 'done' && pulls === lost) filled = state.version
      return {
        version: state?.version ?? 0,
        comparing: state !== null && state.phase !== 'done' ? state.after : null,
        wanted,
        wantedBytes,
        here: Math.max(0, wanted - pulls),
        missing: pulls,
        missingBytes: pullBytes,
        surplus: drops,
        lost,
        bytesPerSecond: speed.perSecond(),
        copiedBytes,
        problem: problem?.code ?? null,
        filled,
      }
    },
    lost: (limit) => queue.lost(limit),

    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the copies are no longer looked after', 'AbortError'))
      wake()
      await running
      await Promise.all([...active.values(), comparing])
      queue[Symbol.dispose]()
    },
  }
}

function kindOf(error: unknown): keyof typeof retries {
  if (isCoded(error, 'UNREACHABLE')) return 'silent'
  if (isCoded(error, lostProblem)) return 'lost'
  return isCoded(error, 'LAST_COPY') ? 'needed' : 'other'
}
