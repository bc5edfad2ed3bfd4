import { isCoded } from '../../protocol/errors.ts'
import { limits } from '../limits.ts'
import type { Entry, ListOptions, Page } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'
import { range, readRange } from './messages.ts'
import { methods } from './methods.ts'

/** How much smaller the next question is when an answer was larger than we take. */
const shrink = 8

/**
 * Lists in pages that are bounded in bytes, though etcd bounds them in entries only: how many to ask for is guessed
 * from what the entries before had. A wrong guess costs a question more, never memory.
 */
export function createPages(connection: Connection, keys: Keys) {
  /** Bytes of an entry, as of late. */
  let typical: number = limits.pageBytes / limits.pageEntries

  return async function list(
    prefix: string,
    { after, limit = limits.pageEntries }: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<Page> {
    const most = Math.max(1, Math.min(limit, limits.pageEntries))
    const entries: Entry[] = []
    let size = 0
    let revision: number | undefined
    let ask = most
    for (;;) {
      const guess = Math.ceil((limits.pageBytes - size) / typical)
      ask = Math.max(1, Math.min(ask, most - entries.length, guess))
      const from = keys.after(prefix, entries.at(-1)?.key ?? after)
      const answer = await read(from, ask)
      if (answer === undefined) {
        ask = Math.ceil(ask / shrink)
        typical *= shrink
        continue
      }
      // What is read later can only be newer: a follower must watch from the first.
      revision ??= answer.header.revision
      const before = size
      let taken = 0
      for (const entry of answer.entries) {
        if (size >= limits.pageBytes) break
        entries.push(keys.entry(entry))
        size += entry.value.length + entry.key.length
        taken += 1
      }
      if (taken > 0) typical = Math.max(64, (size - before) / taken)
      const more = answer.more || taken < answer.entries.length
      if (!more || entries.length >= most || size >= limits.pageBytes) return { entries, revision, more }
      ask = most
    }

    /** Undefined where so many are more than we take at once. */
    async function read(from: string, count: number) {
      try {
        const request = range({ from, to: keys.end(prefix) }, count)
        const { bytes } = await connection.call(methods.range, request, { signal, repeatable: true })
        return readRange(bytes)
      } catch (error) {
        if (isCoded(error, 'TOO_LARGE') && count > 1) return undefined
        throw error
      }
    }
  }
}
