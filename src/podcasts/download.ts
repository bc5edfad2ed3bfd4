import { rm } from 'node:fs/promises'
import { writeTemporary } from '../blobs/temporary.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Audio } from '../protocol/facts/catalog.ts'
import type { PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Id } from '../protocol/ids.ts'
import { continued } from './continued.ts'
import { channels, episodeKey, episodes } from './facts.ts'
import { amend, type KeepOptions, type Mandate } from './mandate.ts'
import { afterFailure, isLasting, isOutside, keepPicture, reachOf, requireFound } from './outside.ts'

const mostBytes = 2 * 1_024 ** 3
/** The largest episode over the slowest line that makes sense, in milliseconds. */
const fetchMs = 6 * 3_600_000
/** Until nobody tries by themselves any more: half an hour in all. */
const mostAttempts = 10

type Kept = NonNullable<PodcastEpisode['kept']>

/** When an episode is to be downloaded; null: it is not. */
export function downloadDue({ state, retryAt = 0 }: PodcastEpisode): number | null {
  return state === 'wanted' ? retryAt : null
}

/**
 * Downloads an episode that is wanted: its bytes are durable in enough copies before a fact names them (B3). A connection
 * that breaks off goes on where it was (`continued`). Whoever dies in between has it begun anew; the piece of a file
 * that it left goes with its next start (N2).
 */
export async function download(
  options: KeepOptions,
  mandate: Mandate,
  { channel: channelId, id }: { readonly channel: Id; readonly id: Id },
  signal: AbortSignal,
): Promise<void> {
  const { store } = options
  const key = episodeKey(channelId, id)
  const channel = (await channels.get(store, channelId, signal))?.value
  const episode = (await episodes.get(store, key, signal))?.value
  if (channel === undefined || episode === undefined) return
  const due = downloadDue(episode)
  if (due === null || due > Date.now()) return
  try {
    const reach = await reachOf(options, channel, signal)
    const kept = await keepAudio(options, episode.feed.audio.url, reach, signal)
    const { imageUrl } = episode.feed
    const isOwn = imageUrl !== undefined && imageUrl !== channel.feed.imageUrl
    const image = isOwn ? await keepPicture(options, imageUrl, reach, signal) : undefined
    await amend(store, mandate, episodes, key, (before) => {
      if (before.state !== 'wanted') return before
      const { retryAt: _at, trouble: _trouble, ...rest } = before
      return { ...rest, state: 'kept', kept, failures: 0, ...(image && { image }) }
    })
  } catch (error) {
    signal.throwIfAborted()
    if (!isOutside(error)) throw error
    await amend(store, mandate, episodes, key, (before) => {
      if (before.state !== 'wanted') return before
      const failed = afterFailure(before.failures, error)
      // Machines that are away say nothing of the episode.
      const isTriedAgain = failed.failures < mostAttempts || error.code === 'COPIES_TOO_FEW'
      if (!isLasting(error) && isTriedAgain) return { ...before, ...failed }
      const { retryAt: _at, ...last } = failed
      const { retryAt: _before, ...rest } = before
      return { ...rest, ...last, state: 'failed' }
    })
  }
}

async function keepAudio(
  { fetch, blobs, spread, readAudio }: KeepOptions,
  url: string,
  reach: Awaited<ReturnType<typeof reachOf>>,
  signal: AbortSignal,
): Promise<Kept> {
  const headers = { accept: 'audio/*, */*;q=0.5', 'accept-encoding': 'identity' }
  const request = { url, headers, reach, mostBytes, deadlineMs: fetchMs }
  using found = await fetch(request, signal)
  requireFound(found)
  if ((found.header('content-encoding') ?? 'identity') !== 'identity')
    throw new CodedError('SERVICE_UNAVAILABLE', 'it sends the audio packed')
  if (found.size !== undefined && found.size > mostBytes)
    throw new CodedError('TOO_LARGE', `${found.size} bytes`)
  let audio: Audio | undefined
  const write = async (folder: string) => {
    const written = await writeTemporary(folder, continued(fetch, request, found, signal), signal)
    try {
      // What is no audio never becomes a blob.
      audio = await readAudio(written.path, signal)
      return written
    } catch (error) {
      await rm(written.path, { force: true })
      throw error
    }
  }
  const { hash, size } = await blobs.keep(write, {
    signal,
    ...(found.size !== undefined && { size: found.size }),
  })
  await spread(hash, size)
  if (audio === undefined) throw new CodedError('INTERNAL', 'an episode was kept unread')
  return { ...audio, blob: hash, size }
}
