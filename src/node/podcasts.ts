import type { Logger } from 'pino'
import type { Blobs } from '../blobs/blobs.ts'
import { joinReferences } from '../blobs/copies/whereabouts.ts'
import { blobsInFacts, type Copies } from '../catalog/copies.ts'
import type { TagReader } from '../catalog/tags/reader.ts'
import type { Index } from '../index/index.ts'
import type { Term } from '../operator/leadership.ts'
import type { OutboxOptions } from '../outbox/reach.ts'
import { fetchOutward } from '../outward/fetch.ts'
import { blobsOfPodcasts, createPodcastBytes } from '../podcasts/bytes.ts'
import { keepPodcasts } from '../podcasts/keep.ts'
import type { KeepOptions } from '../podcasts/mandate.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Audio } from '../protocol/facts/catalog.ts'
import type { BlobHash } from '../protocol/ids.ts'
import type { Store } from '../store/store.ts'

export interface PodcastKeeping extends Pick<KeepOptions, 'spread'> {
  readonly store: Store
  readonly index: Index
  readonly blobs: Pick<Blobs, 'put' | 'keep'>
  readonly tagReader: Pick<TagReader, 'readTags'>
  readonly person: OutboxOptions['person']
  readonly log: Logger
}

/** Keeps the podcasts of this installation for as long as the term lasts. */
export function createPodcastKeeper({
  tagReader,
  log,
  ...options
}: PodcastKeeping): (term: Term) => Promise<void> {
  const onError = (error: unknown) => log.warn({ err: error }, 'podcasts met trouble; it goes on')
  const readAudio = createAudioReader(tagReader)
  return (term) => keepPodcasts({ ...options, readAudio, fetch: fetchOutward, onError }, term)
}

/** What the audio of a file is, as the reader of tags finds it. */
function createAudioReader(tagReader: Pick<TagReader, 'readTags'>): KeepOptions['readAudio'] {
  return async (path, signal): Promise<Audio> => {
    const [reading] = await tagReader.readTags([path], signal)
    if (reading === undefined) throw new CodedError('READER_FAILED')
    if (!reading.ok) throw new CodedError(reading.fault.code, reading.fault.detail)
    return reading.audio
  }
}

/** What is known of bytes, with those of podcasts. */
export function withPodcasts(copies: Copies, index: Pick<Index, 'statement'>): Copies {
  const bytes = createPodcastBytes(index)
  return {
    ...copies,
    isReferenced: (hash) => copies.isReferenced(hash) || bytes.isReferenced(hash),
    references: joinReferences(copies.references, bytes.references),
    concerns: (key) => copies.concerns(key) || bytes.concerns(key),
    blobsOf: (key) => [...copies.blobsOf(key), ...bytes.blobsOf(key)],
  }
}

/** The names of all blobs that any fact refers to. Throws at one that cannot be read (B4). */
export async function blobsOfAllFacts(store: Store, signal: AbortSignal): Promise<ReadonlySet<BlobHash>> {
  return (await blobsInFacts(store, signal)).union(await blobsOfPodcasts(store, signal))
}
