import type { Id } from '../../protocol/ids.ts'

/** Where a page begins: at a number, or after the last item of the page before it. */
export type Start = { readonly offset: number } | { readonly cursor: string }

/** How many items there are, and the cursor behind the last of them. */
export interface PartOfList {
  readonly count: number
  readonly next?: string | undefined
}

/**
 * Lets clients that know only offsets walk through lists that change under their feet. Where a device goes on at the
 * offset at which its last page ended, it gets what follows that page's last item, however many have come or gone
 * before it: no item twice, and none left out. Any other offset is counted.
 */
export interface Pages {
  /**
   * `list` says which list it is, and in which order: whatever makes another list of it. Undefined where nothing can
   * follow.
   */
  read<Part extends PartOfList>(
    device: Id,
    list: unknown,
    { offset, limit }: { readonly offset: number; readonly limit: number },
    read: (start: Start) => Promise<Part>,
  ): Promise<Part | undefined>
}

/** Walks that are remembered at the same time, and ends of pages of each: some clients ask for several at once. */
const mostWalks = 1_000
const mostEnds = 8
/** Milliseconds after which a client that comes back is taken to begin anew. */
const patience = 600_000
/** Milliseconds for which the end of a list is taken to be its end; later on, whoever asks wants what is new. */
const endPatience = 30_000

interface End {
  /** Null: nothing followed. */
  readonly cursor: string | null
  readonly at: number
}

/** The ends of pages, by the offset behind them. */
interface Walk {
  readonly ends: Map<number, End>
  readonly at: number
}

export function createPages(clock: () => number = Date.now): Pages {
  const walks = new Map<string, Walk>()

  function walkOf(name: string, offset: number): Walk {
    const now = clock()
    const known = offset === 0 ? undefined : walks.get(name)
    const ends = known === undefined || known.at + patience < now ? new Map() : known.ends
    const walk = { ends, at: now }
    walks.delete(name)
    walks.set(name, walk)
    forgetOldest(walks, mostWalks)
    return walk
  }

  return {
    async read(device, list, { offset, limit }, read) {
      if (limit === 0) return undefined
      const { ends, at } = walkOf(`${device} ${JSON.stringify(list)}`, offset)
      const known = ends.get(offset)
      if (known?.cursor === null && at < known.at + endPatience) return undefined
      const part = await read(typeof known?.cursor === 'string' ? { cursor: known.cursor } : { offset })
      const end = offset + part.count
      ends.delete(end)
      if (part.count > 0) ends.set(end, { cursor: part.next ?? null, at })
      forgetOldest(ends, mostEnds)
      return part
    },
  }
}

function forgetOldest<Key>(entries: Map<Key, unknown>, most: number): void {
  const [oldest] = entries.keys()
  if (entries.size > most && oldest !== undefined) entries.delete(oldest)
}
