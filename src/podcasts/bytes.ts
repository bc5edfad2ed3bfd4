import type { References } from '../blobs/copies/whereabouts.ts'
import type { Index } from '../index/index.ts'
import type { BlobHash } from '../protocol/ids.ts'
import { integer, text } from '../store/row.ts'
import type { Store } from '../store/store.ts'
import { channels, episodes } from './facts.ts'

/** Which blobs podcasts need. Only as good as the index: it must have caught up. */
export interface PodcastBytes {
  isReferenced(hash: BlobHash): boolean
  readonly references: References
  /** Whether the fact of this key may name blobs. */
  concerns(key: string): boolean
  /** Those that the fact of this key names. */
  blobsOf(key: string): BlobHash[]
}

export function createPodcastBytes(index: Pick<Index, 'statement'>): PodcastBytes {
  const concerns = (key: string) => key.startsWith(episodes.prefix) || key.startsWith(channels.prefix)
  const find = (hash: BlobHash) =>
    index.statement('SELECT size FROM podcasts_blob WHERE blob = ? LIMIT 1').get(hash)
  return {
    concerns,
    isReferenced: (hash) => find(hash) !== undefined,
    references: {
      get(hash) {
        const row = find(hash)
        return row === undefined ? null : { hash, size: integer(row.size), inPlace: [] }
      },
      page(after, limit) {
        return index
          .statement(
            'SELECT blob, max(size) AS size FROM podcasts_blob WHERE blob > ? GROUP BY blob ORDER BY blob LIMIT ?',
          )
          .all(after ?? '', limit)
          .map(({ blob, size }) => ({ hash: text(blob), size: integer(size), inPlace: [] }))
      },
    },
    blobsOf(key) {
      if (!concerns(key)) return []
      const rows = index.statement('SELECT blob FROM podcasts_blob WHERE fact = ?').all(key)
      return rows.map(({ blob }) => text(blob))
    },
  }
}

/**
 * The names of all blobs that podcasts refer to. Throws at a fact that cannot be read (FACT_NEWER, FACT_DAMAGED): it might
 * refer to any blob, and on this answer blobs are deleted (B4).
 */
export async function blobsOfPodcasts(store: Store, signal: AbortSignal): Promise<ReadonlySet<BlobHash>> {
  const found = new Set<BlobHash>()
  for await (const { value } of channels.walk(store, {}, signal)) if (value.image) found.add(value.image.blob)
  for await (const { value } of episodes.walk(store, {}, signal))
    for (const bytes of [value.kept, value.image]) if (bytes !== undefined) found.add(bytes.blob)
  return found
}
