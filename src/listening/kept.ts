import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { makeFolder, writeDurably } from '../blobs/durable.ts'
import type { Index } from '../index/index.ts'
import { CodedError, type ErrorCode, isCoded } from '../protocol/errors.ts'
import { id, timestamp } from '../protocol/ids.ts'
import type { ListeningOptions } from './create.ts'
import type { Listening } from './listening.ts'
import type { CountPlay } from './marks.ts'

export interface KeepOptions
  extends Pick<ListeningOptions, 'catalog' | 'userName' | 'keptFolder' | 'onError'> {
  readonly index: Pick<Index, 'progress'>
  readonly count: CountPlay
}

const keptPlay = z.object({
  user: id,
  administrator: z.boolean(),
  play: id,
  track: id,
  at: timestamp,
})
type KeptPlay = z.infer<typeof keptPlay>

/** How long a player waits for a store that may be away, in milliseconds. */
const patienceMs = 4_000
/** How long the store may take for one play that was kept. */
const countMs = 20_000
/** Before trying again, in milliseconds: at first, and at most. */
const shortestPauseMs = 500
const longestPauseMs = 10_000
/** Some months of listening in a household. */
const mostKept = 10_000

/** With these the store may have the play or not: what has an id may be written again. */
const away: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'TIMED_OUT', 'STORE_FULL'])

/**
 * Plays that cannot be counted while the store is away wait on this node's disk, one small file for each, and are
 * counted when it is back, in their order. A file goes only after its play is in the store, and the play's own id keeps
 * it from counting twice: so each counts once, whenever the node dies.
 */
export function keepPlays(options: KeepOptions): Pick<Listening, 'play'> & AsyncDisposable {
  const { catalog, userName, index, keptFolder, count, onError } = options
  const ending = new AbortController()
  const { signal: ended } = ending
  let isAway = false
  let stir = new AbortController()

  async function names(): Promise<string[]> {
    const found = await readdir(keptFolder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    })
    return found.filter((name) => name.endsWith('.json')).toSorted()
  }

  /** Rejects with `cause` where there is no room for another. */
  async function keep(play: KeptPlay, cause: unknown): Promise<void> {
    if ((await names()).length >= mostKept) throw cause
    await makeFolder(keptFolder)
    const name = `${String(play.at).padStart(15, '0')}-${play.play}.json`
    await writeDurably(join(keptFolder, name), JSON.stringify(play))
  }

  /** Counts one that was kept; false where the store is still away. */
  async function countKept(name: string): Promise<boolean> {
    const path = join(keptFolder, name)
    const late = AbortSignal.timeout(countMs)
    try {
      const { user, administrator, ...play } = keptPlay.parse(JSON.parse(await readFile(path, 'utf8')))
      // Of a user who has gone meanwhile, nothing is kept.
      if (userName(user) !== undefined) {
        await count({ user, administrator }, play, AbortSignal.any([ended, late]))
      }
    } catch (error) {
      ended.throwIfAborted()
      const isLost =
        isCoded(error, 'NOT_FOUND') || error instanceof z.ZodError || error instanceof SyntaxError
      if (!isLost && (late.aborted || isStoreAway(error))) return false
      onError(error)
      // Its track has been removed, or the file is damaged: there is nothing to be counted any more.
      if (!isLost) return false
    }
    await rm(path, { force: true })
    return true
  }

  /** True when nothing is kept any more. */
  async function countAll(): Promise<boolean> {
    // An index that is being rebuilt knows only some of the tracks.
    if (index.progress.state === 'filling') return false
    for (const name of await names()) {
      if (!(await countKept(name))) return false
      isAway = false
    }
    return (await names()).length === 0
  }

  async function follow(): Promise<void> {
    let wait = shortestPauseMs
    while (!ended.aborted) {
      stir = new AbortController()
      const isDone = await countAll().catch((error: unknown) => {
        if (!ended.aborted) onError(error)
        return false
      })
      if (isDone) isAway = false
      const either = isDone ? AbortSignal.any([ended, stir.signal]) : ended
      const ms = isDone ? 2 ** 31 - 1 : wait
      wait = isDone ? shortestPauseMs : Math.min(wait * 2, longestPauseMs)
      await pause(ms, undefined, { signal: either, ref: false }).catch(() => undefined)
    }
  }
  const following = follow()

  return {
    async play(listener, { at = Date.now(), ...input }, signal) {
      const play = { ...input, at: Math.min(at, Date.now()) }
      let cause: unknown
      if (!isAway) {
        const late = AbortSignal.timeout(patienceMs)
        try {
          const patience = AbortSignal.any([late, ...(signal ? [signal] : [])])
          return { ...(await count(listener, play, patience)), kept: false }
        } catch (error) {
          signal?.throwIfAborted()
          if (!late.aborted && !isStoreAway(error)) throw error
          cause = error
        }
      }
      // From the index: whatever else is known of a track, only the store has.
      const [track] = await catalog.tracksByIds(listener, [play.track], signal)
      if (!track) throw new CodedError('NOT_FOUND', `track ${play.track}`)
      const { user, administrator } = listener
      await keep({ user, administrator, ...play }, cause)
      isAway = true
      stir.abort()
      return { value: track.mark, revision: 0, kept: true }
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new DOMException('the node is stopping', 'AbortError'))
      await following
    },
  }
}

function isStoreAway(error: unknown): boolean {
  return isCoded(error) && away.has(error.code)
}
