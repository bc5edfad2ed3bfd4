import type { TrackSource } from '../../catalog/catalog.ts'
import type { ReadLyrics } from '../../gateway/media/lyrics.ts'
import { lyrics } from '../../protocol/api/catalog.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'
import type { Turns } from './turns.ts'

export interface LyricsAnywhereOptions {
  readonly self: Id
  readonly calls: Pick<Calls, 'ask'>
  readonly turns: Turns
  /** What this node reads itself; null: it has neither music nor the role `media`. */
  readonly here: ReadLyrics | null
  readonly nodeOf: (library: Id) => Id | null
}

/** The music may have to be fetched first. Milliseconds. */
const deadlineMs = 15_000

/**
 * Lyrics as a cluster has them: while no blob's name is known for a file beside the music, it is read on the node whose
 * folder it is in.
 */
export function createLyricsAnywhere({
  self,
  calls,
  turns,
  here,
  nodeOf,
}: LyricsAnywhereOptions): ReadLyrics {
  async function ask(node: Id, source: TrackSource, signal: AbortSignal) {
    const request = { method: 'POST', path: '/lyrics', json: { source }, repeatable: true } as const
    return await calls.ask(node, request, lyrics, { deadlineMs, signal })
  }

  return async (source, signal) => {
    const homes = source.places.flatMap(({ lyricsFile, lyrics: blob, library }) =>
      lyricsFile === undefined || blob !== undefined ? [] : (nodeOf(library) ?? []),
    )
    for (const home of homes.includes(self) ? [] : homes) {
      try {
        return await ask(home, source, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isCoded(error)) throw error
      }
    }
    if (here !== null) return await here(source, signal)
    return await turns.ask('media', { signal, at: (node, attempt) => ask(node, source, attempt) })
  }
}
