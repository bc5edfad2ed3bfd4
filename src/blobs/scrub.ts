import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isCoded } from '../protocol/errors.ts'
import type { BlobHash } from '../protocol/ids.ts'
import { timestamp } from '../protocol/ids.ts'
import type { Blobs, InPlace, PlacedFile, Verdict } from './blobs.ts'
import { writeDurably } from './durable.ts'

export interface ScrubOptions {
  readonly blobs: Blobs & { readonly inPlace: InPlace }
  /** The hashed files of music folders in the order of their keys, after the key `after` where one is given. */
  readonly placedFiles: (after: string | undefined, signal: AbortSignal) => AsyncIterable<KeyedFile>
  /** Where the place in the pass is kept over restarts. */
  readonly statePath: string
  /** How often everything is read, in milliseconds. */
  readonly periodMs: number
  /** How fast, so that it disturbs no listener; faster only where a pass would not end within the period. */
  readonly usualBytesPerSecond: number
  /** Told of what could not be read at all; damage itself is reported by the blobs. */
  readonly onError: (error: unknown) => void
}

export interface KeyedFile {
  readonly key: string
  readonly file: PlacedFile & { readonly hash: BlobHash }
}

export interface Scrub extends AsyncDisposable {
  status(): ScrubStatus
}

const scrubState = z.object({
  startedAt: timestamp,
  finishedAt: timestamp.optional(),
  /** The last item that was read, by its kind. */
  after: z.object({ kind: z.enum(['blob', 'file']), key: z.string() }).optional(),
  items: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  corrupt: z.int().nonnegative(),
  healed: z.int().nonnegative(),
})
type ScrubState = z.infer<typeof scrubState>

/** The pass that runs, or ran last: when it began and ended, and what it has read and found so far. */
export type ScrubStatus = Readonly<Omit<ScrubState, 'after'>> & {
  /** Bytes that a pass reads in all; 0 until they have been counted. */
  readonly totalBytes: number
}

interface Item {
  readonly kind: 'blob' | 'file'
  readonly key: string
  readonly size: number
  readonly verify: () => Promise<Verdict>
}

const saveEveryMs = 5_000
/** Besides reading, a pass opens files and finds its way. */
const haste = 1.25
/** How long a pass waits after the disk could not even be listed. */
const retryMs = 600_000

/**
 * Reads all blobs and hashed files of music folders again and again, once in each period, so that damage is found
 * while another copy can still heal it. A pass goes on without pauses and then rests until the next period, so that a
 * disk can sleep for most of the month. What could not be healed the last time is tried again. After a restart a pass
 * continues where it was. Ends when it is disposed of.
 */
export function startScrub(options: ScrubOptions): Scrub {
  const { blobs, statePath, periodMs } = options
  const ending = new AbortController()
  const { signal } = ending
  let pace = { bytesPerSecond: options.usualBytesPerSecond, signal }
  let state = newState()
  let totalBytes = 0
  let savedAt = 0

  async function* items(): AsyncGenerator<Item> {
    const { after } = state
    if (after?.kind !== 'file')
      for await (const { hash, size } of blobs.list(after?.key, signal)) {
        yield { kind: 'blob', key: hash, size, verify: () => blobs.verify(hash, pace) }
      }
    const afterFile = after?.kind === 'file' ? after.key : undefined
    for await (const { key, file } of options.placedFiles(afterFile, signal)) {
      yield { kind: 'file', key, size: file.size, verify: () => blobs.inPlace.verify(file, pace) }
    }
  }

  async function check(item: Item): Promise<void> {
    try {
      const verdict = await item.verify()
      if (verdict === 'corrupt') state.corrupt += 1
      if (verdict === 'healed') state.healed += 1
    } catch (error) {
      signal.throwIfAborted()
      // A file that changed or went away is the scan's business, and there will be another pass.
      if (!isCoded(error, 'FILE_CHANGED') && !isCoded(error, 'FILE_MISSING')) options.onError(error)
    }
    state.items += 1
    state.bytes += item.size
    state.after = { kind: item.kind, key: item.key }
    if (performance.now() - savedAt > saveEveryMs) await save()
  }

  async function runPass(): Promise<void> {
    totalBytes = state.bytes
    for await (const { size } of items()) totalBytes += size
    const needed = (totalBytes - state.bytes) / Math.max(1, (state.startedAt + periodMs - Date.now()) / 1_000)
    pace = { bytesPerSecond: Math.max(options.usualBytesPerSecond, needed * haste), signal }
    for (const hash of await blobs.damaged())
      if ((await blobs.verify(hash, pace)) === 'healed') state.healed += 1
    for await (const item of items()) await check(item)
    state.finishedAt = Date.now()
    await save()
  }

  async function save(): Promise<void> {
    savedAt = performance.now()
    await writeDurably(statePath, JSON.stringify(state))
  }

  async function load(): Promise<ScrubState> {
    try {
      return scrubState.parse(JSON.parse(await readFile(statePath, 'utf8')))
    } catch {
      // A state that is missing or torn costs nothing but a pass from the beginning.
      return newState()
    }
  }

  async function run(): Promise<void> {
    state = await load()
    for (;;) {
      try {
        if (state.finishedAt === undefined) await runPass()
        await waitUntil(state.startedAt + periodMs, signal)
        state = newState()
      } catch (error) {
        signal.throwIfAborted()
        options.onError(error)
        await waitUntil(Date.now() + retryMs, signal)
      }
    }
  }

  const running = run().catch(() => signal.aborted)

  return {
    status() {
      const { after: _, ...counts } = state
      return { ...counts, totalBytes }
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the scrub has been stopped'))
      await running
      await save().catch(() => {})
    },
  }
}

function newState(): ScrubState {
  return { startedAt: Date.now(), items: 0, bytes: 0, corrupt: 0, healed: 0 }
}

/** A timer holds at most 2^31 ms, which is shorter than some periods. */
async function waitUntil(time: number, signal: AbortSignal): Promise<void> {
  for (let left = time - Date.now(); left > 0; left = time - Date.now())
    await sleep(Math.min(left, 3_600_000), undefined, { signal, ref: false })
}
