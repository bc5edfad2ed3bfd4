import type { Reach } from '../outward/connect.ts'
import { type Fetched, readWhole } from '../outward/fetch.ts'
import { CodedError, type ErrorCode, isCoded } from '../protocol/errors.ts'
import type { PodcastChannel, PodcastEpisode, PodcastTrouble } from '../protocol/facts/podcasts.ts'
import type { KeepOptions } from './mandate.ts'

/** What is fetched for podcasts, and what it means where that fails. */

/** The largest picture that is fetched: shops ask for 3,000 by 3,000 pixels, which are some hundred kilobytes. */
const mostPictureBytes = 16 * 1_048_576
const pictureMs = 60_000

/**
 * What a feed may lead to: anything on the internet, with TLS or without; networks inside only at the very address of the
 * feed, and only while whoever subscribed is an administrator. A feed that others write must not lead this server
 * through the house.
 */
export async function reachOf(
  { person }: Pick<KeepOptions, 'person'>,
  { url, addedBy }: Pick<PodcastChannel, 'url' | 'addedBy'>,
  signal: AbortSignal,
): Promise<(target: URL) => Reach> {
  const isTrusted = (await person(addedBy, signal))?.administrator === true
  const { host } = new URL(url)
  return (target) => ({ mayInside: isTrusted && target.host === host, mayPlain: true })
}

/** Throws unless all of what was asked for comes. */
export function requireFound({ status }: Pick<Fetched, 'status'>): void {
  if (status === 200) return
  const isGone = status === 404 || status === 410
  throw new CodedError(isGone ? 'NOT_FOUND' : 'SERVICE_UNAVAILABLE', `the server outside answered ${status}`)
}

/** What a picture may begin with: JPEG, PNG, GIF, WebP. Whether it can be shown is seen when it is made smaller. */
const pictureMarks = ['ffd8ff', '89504e470d0a1a0a', '47494638', '52494646']

/** Fetches a picture and keeps it; undefined where that cannot be, which costs nothing but the picture. */
export async function keepPicture(
  { fetch, blobs, spread }: Pick<KeepOptions, 'fetch' | 'blobs' | 'spread'>,
  url: string,
  reach: (target: URL) => Reach,
  signal: AbortSignal,
): Promise<PodcastEpisode['image']> {
  try {
    const request = { url, reach, mostBytes: mostPictureBytes, deadlineMs: pictureMs }
    using found = await fetch(request, signal)
    requireFound(found)
    const bytes = await readWhole(found)
    const mark = bytes.toString('hex', 0, 8)
    if (!pictureMarks.some((known) => mark.startsWith(known))) return undefined
    const { hash, size } = await blobs.put(one(bytes), { signal })
    await spread(hash, size)
    return { url, blob: hash, size }
  } catch (error) {
    signal.throwIfAborted()
    if (!isOutside(error)) throw error
    return undefined
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** What trying again does not mend. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'ADDRESS_FORBIDDEN',
  'TOO_LARGE',
  'FILE_EMPTY',
  'FILE_NOT_AUDIO',
  'FILE_DAMAGED',
  'FILE_ENCRYPTED',
  'READER_FAILED',
])
/** What may go by: the world outside, our disk, and nodes that are away. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'SERVICE_UNAVAILABLE',
  'FEED_UNREADABLE',
  'FILE_TRUNCATED',
  'COPIES_TOO_FEW',
  'DISK_FULL',
  'DISK_READ_ONLY',
  'DISK_FAILED',
])

export const isLasting = (error: CodedError) => lasting.has(error.code)

/** Whether an error says something of what was fetched, and not of the work. */
export function isOutside(error: unknown): error is CodedError {
  return isCoded(error) && (lasting.has(error.code) || passing.has(error.code))
}

/** Waiting after failures, in milliseconds: at first, and at most. */
const shortestPauseMs = 2_000
const longestPauseMs = 3_600_000

/** Twice as long after each failure, and never as long as another that failed at the same time. */
export function afterFailure(
  before: number,
  { code, detail }: CodedError,
): { readonly failures: number; readonly retryAt: number; readonly trouble: PodcastTrouble } {
  const at = Date.now()
  const longest = Math.min(shortestPauseMs * 2 ** Math.min(before, 30), longestPauseMs)
  return {
    failures: before + 1,
    retryAt: Math.ceil(at + longest * (0.5 + Math.random() / 2)),
    trouble: { code, ...(detail !== undefined && { detail: detail.slice(0, 500) }), at },
  }
}
