import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { CodedError } from '../protocol/errors.ts'
import type { FeedHead, FeedItem, PodcastChannel, PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { BlobHash, Id } from '../protocol/ids.ts'
import { join, type Operation } from '../store/collection.ts'
import { channels, episodeId, episodeKey, episodes } from './facts.ts'
import { type Feed, mostItems } from './feed/parse.ts'
import { readFeed } from './feed/read.ts'
import { amend, type KeepOptions, type Mandate } from './mandate.ts'
import { afterFailure, isOutside, keepPicture, reachOf, requireFound } from './outside.ts'

const everyMs = 3_600_000
const mostFeedBytes = 8 * 1_048_576
const fetchMs = 120_000
/** Facts that are read, or made and written in one transaction, without letting others in: some milliseconds. */
const readAtOnce = 25
const writtenAtOnce = 10
/** Likewise, ids that are made. */
const namedAtOnce = 250
/** Operations that have been made, in one transaction. */
const mostOperations = 50

/** When a channel is to be looked at: asked for, after a failure, or as every hour. */
export function refreshDue({ checkedAt, askedAt = 0, failures, retryAt }: PodcastChannel): number {
  if (checkedAt === undefined || askedAt > checkedAt) return 0
  return failures > 0 && retryAt !== undefined ? retryAt : checkedAt + everyMs
}

/** A feed as it is now, and by what its server and we tell whether it changes. */
interface Read {
  readonly feed: Feed
  readonly sum: BlobHash
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/**
 * Looks whether a feed has changed, and writes what has. Whoever dies in between has it done again: that a feed was read
 * is noted after its episodes (N2).
 */
export async function refresh(options: KeepOptions, mandate: Mandate, id: Id): Promise<void> {
  const { store } = options
  const { signal } = mandate
  const channel = (await channels.get(store, id, signal))?.value
  if (channel === undefined || refreshDue(channel) > Date.now()) return
  // Not earlier than it was asked for, by the clock of whoever asked.
  const checkedAt = Math.max(Date.now(), channel.askedAt ?? 0)
  try {
    const reach = await reachOf(options, channel, signal)
    const read = await fetchFeed(options, channel, reach, signal)
    if (read !== null) await writeEpisodes(options, mandate, id, read.feed.items)
    const image = await imageOf(options, channel, read?.feed.head ?? channel.feed, reach, signal)
    await amend(store, mandate, channels, id, (before) => looked(before, read, image, checkedAt))
  } catch (error) {
    signal.throwIfAborted()
    if (!isOutside(error)) throw error
    await amend(store, mandate, channels, id, (before) => ({
      ...before,
      ...afterFailure(before.failures, error),
      checkedAt,
    }))
  }
}

/** The channel's picture: another one where the feed names another, and can be had. */
async function imageOf(
  options: KeepOptions,
  { image }: PodcastChannel,
  { imageUrl }: FeedHead,
  reach: Awaited<ReturnType<typeof reachOf>>,
  signal: AbortSignal,
): Promise<PodcastChannel['image']> {
  if (imageUrl === undefined || image?.url === imageUrl) return imageUrl === undefined ? undefined : image
  return (await keepPicture(options, imageUrl, reach, signal)) ?? image
}

/** A channel after a look at its feed that went well; `read` is null where nothing had changed. */
function looked(
  before: PodcastChannel,
  read: Read | null,
  image: PodcastChannel['image'],
  checkedAt: number,
): PodcastChannel {
  const { retryAt: _at, trouble: _trouble, image: _image, ...rest } = before
  const calm = { ...rest, ...(image !== undefined && { image }), failures: 0, checkedAt }
  if (read === null) return calm
  const { etag: _etag, lastModified: _modified, ...unmarked } = calm
  const { feed, sum, etag, lastModified } = read
  return {
    ...unmarked,
    feed: feed.head,
    read: sum,
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  }
}

/** Null: it is what it was. */
async function fetchFeed(
  { fetch }: KeepOptions,
  channel: PodcastChannel,
  reach: Awaited<ReturnType<typeof reachOf>>,
  signal: AbortSignal,
): Promise<Read | null> {
  const { url, read, etag, lastModified } = channel
  const headers = {
    accept: 'application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5',
    'accept-encoding': 'gzip',
    ...(read !== undefined && etag !== undefined && { 'if-none-match': etag }),
    ...(read !== undefined && lastModified !== undefined && { 'if-modified-since': lastModified }),
  }
  using found = await fetch({ url, headers, reach, mostBytes: mostFeedBytes, deadlineMs: fetchMs }, signal)
  if (found.status === 304 && read !== undefined) return null
  requireFound(found)
  const hash = createHash('sha256')
  const pieces: Uint8Array[] = []
  for await (const piece of found.bytes) {
    hash.update(piece)
    pieces.push(piece)
  }
  const sum = hash.digest('hex')
  if (sum === read) return null
  const charset = /charset="?([\w.:-]{1,40})/i.exec(found.header('content-type') ?? '')?.[1]
  const question = { base: found.url, ...(charset !== undefined && { charset }) }
  const feed = await readFeed(pieces, question, signal)
  return {
    feed,
    sum,
    etag: found.header('etag')?.slice(0, 1_000),
    lastModified: found.header('last-modified')?.slice(0, 100),
  }
}

/** Writes the episodes that are new or not what they were, and gives up the oldest of too many. */
async function writeEpisodes(
  { store }: KeepOptions,
  mandate: Mandate,
  channel: Id,
  items: readonly FeedItem[],
): Promise<void> {
  const { signal } = mandate
  const left = await byKey(channel, items)
  const gone: Operation[] = []
  let known = 0
  let after: string | undefined
  for (let more = true; more; ) {
    const page = await episodes.list(
      store,
      { under: `${channel}/`, limit: readAtOnce, ...(after !== undefined && { after }) },
      signal,
    )
    const changed: Operation[] = []
    for (const { id, value, revision } of page.facts) {
      known += 1
      const item = left.get(id)
      left.delete(id)
      if (item === undefined) {
        if (isDispensable(value)) gone.push(episodes.remove(id, revision))
      } else if (!isDeepStrictEqual(value.feed, item))
        changed.push(episodes.replace(id, revision, { ...value, feed: item }))
    }
    // What a newer version wrote is the business of that version.
    for (const { id } of page.unreadable) left.delete(id)
    await writeAll(mandate, changed)
    after = page.last
    more = page.more
  }
  const surplus = known + left.size - mostItems
  if (surplus > 0) await writeAll(mandate, gone.slice(0, surplus))
  const addedAt = Date.now()
  const added = [...left]
  for (let at = 0; at < added.length; at += writtenAtOnce) {
    const some = added.slice(at, at + writtenAtOnce)
    await write(
      mandate,
      some.map(([id, feed]) => episodes.create(id, { feed, addedAt, state: 'new', failures: 0 })),
    )
  }
}

async function byKey(channel: Id, items: readonly FeedItem[]): Promise<Map<string, FeedItem>> {
  const found = new Map<string, FeedItem>()
  for (const [at, item] of items.entries()) {
    if (at % namedAtOnce === 0) await turn()
    found.set(episodeKey(channel, episodeId(channel, item.guid)), item)
  }
  return found
}

/** No longer in its feed, and nobody has asked for it. */
const isDispensable = ({ state }: PodcastEpisode) => state !== 'kept' && state !== 'wanted'

async function writeAll(mandate: Mandate, operations: readonly Operation[]): Promise<void> {
  for (let at = 0; at < operations.length; at += mostOperations)
    await write(mandate, operations.slice(at, at + mostOperations))
}

async function write(mandate: Mandate, operations: readonly Operation[]): Promise<void> {
  if (operations.length === 0 || (await mandate.commit(join(...operations)))) return
  // Somebody has changed one of them meanwhile: all is compared again.
  throw new CodedError('CONFLICT', 'the episodes of a podcast')
}
