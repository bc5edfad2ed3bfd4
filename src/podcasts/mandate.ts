import type { Blobs } from '../blobs/blobs.ts'
import type { Index } from '../index/index.ts'
import type { Fetch } from '../outward/fetch.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Audio } from '../protocol/facts/catalog.ts'
import type { PodcastChannel, PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { BlobHash, Id } from '../protocol/ids.ts'
import type { Collection } from '../store/collection.ts'
import type { Store, Transaction } from '../store/store.ts'

/** What the keeping of podcasts stands on; src/node fills it. */
export interface KeepOptions {
  readonly store: Store
  /** With `podcastsProjection`. */
  readonly index: Pick<Index, 'statement' | 'subscribe' | 'waitFor'>
  readonly blobs: Pick<Blobs, 'put' | 'keep'>
  /** Resolves when enough copies of a blob are durable (B3); COPIES_TOO_FEW. */
  readonly spread: (hash: BlobHash, size: number) => Promise<void>
  /** What the audio of a file is, read in a child process (law S1); a code of what is wrong with it where it is none. */
  readonly readAudio: (path: string, signal: AbortSignal) => Promise<Audio>
  readonly fetch: Fetch
  /** The account as it is now; null where it is gone or disabled. */
  readonly person: (user: Id, signal: AbortSignal) => Promise<{ readonly administrator: boolean } | null>
  /** Told of what goes wrong here; what goes wrong outside stands in the facts. */
  readonly onError: (error: unknown) => void
}

/** What lets one node at a time keep the podcasts: whoever has lost it cannot write any more (fencing). */
export interface Mandate {
  readonly signal: AbortSignal
  /** False where a condition did not hold; throws where the mandate is over. */
  commit(transaction: Transaction): Promise<boolean>
}

const attempts = 20

/** Changes a fact that is there; `change` answers the very value to leave it. False where it is gone. */
export async function amend<Value extends PodcastChannel | PodcastEpisode>(
  store: Store,
  mandate: Mandate,
  collection: Collection<Value>,
  id: string,
  change: (before: Value) => Value,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const fact = await collection.get(store, id, mandate.signal)
    if (fact === null) return false
    const after = change(fact.value)
    if (after === fact.value) return true
    if (await mandate.commit(collection.replace(id, fact.revision, after))) return true
  }
  throw new CodedError('CONFLICT', `${collection.prefix}${id}, after ${attempts} attempts`)
}
