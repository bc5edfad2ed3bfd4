import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { MarkKind } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { findItem, type Item, requireItem } from './item.ts'
import { flag, itemId, many, moment, optional, required, wholeNumber } from './parameters.ts'
import { findEpisode } from './source.ts'

/**
 * Facts that are written at the same time; the store puts them into few transactions. The index has each hundred before
 * the next are written: it may take seconds for them from a cold disk, and whoever waits for it waits five at most.
 */
const atOnce = 100

const starred = z.object({ id: many(itemId), albumId: many(itemId), artistId: many(itemId) })

/** `id` names songs, and the folders of clients that know nothing else, which are albums and artists. */
function starring(isStarred: boolean) {
  return endpoint(starred, async (parts, asking, { id, albumId, artistId }) => {
    const { catalog, listening } = parts
    const { viewer, signal } = asking
    if (id.length + albumId.length + artistId.length === 0) {
      throw new Failure(10, "Required parameter 'id' is missing")
    }
    const named = (given: string, kinds: readonly MarkKind[]) => {
      const item = findItem(catalog, viewer, given, kinds)
      if (item === null) throw notFound(kinds.length > 1 ? 'song, album or artist' : (kinds[0] ?? 'song'))
      return item
    }
    // All of them are looked up before the first is written.
    const items = [
      ...id.map((each) => named(each, ['track', 'album', 'artist'])),
      ...albumId.map((each) => named(each, ['album'])),
      ...artistId.map((each) => named(each, ['artist'])),
    ]
    const once = [...new Map(items.map((item) => [item.id, item])).values()]
    const mark = ({ kind, id }: Item) => listening.mark(viewer, kind, id, { starred: isStarred }, signal)
    for (let at = 0; at < once.length; at += atOnce) {
      const marks = await Promise.all(once.slice(at, at + atOnce).map(mark))
      const revision = Math.max(...marks.map((written) => written.revision))
      await settled(parts, { value: {}, revision }, signal)
    }
    return {}
  })
}

export const star = starring(true)
export const unstar = starring(false)

/** A rating of 0 takes it away. */
export const setRating = endpoint(
  z.object({ id: required(itemId), rating: required(wholeNumber(0).pipe(z.number().max(5, 'more than 5'))) }),
  async (parts, { viewer, signal }, { id, rating }) => {
    const item = findItem(parts.catalog, viewer, id)
    if (item === null) throw notFound('song, album or artist')
    const input = { rating: rating === 0 ? null : rating }
    await settled(parts, await parts.listening.mark(viewer, item.kind, item.id, input, signal), signal)
    return {}
  },
)

const scrobbled = z.object({
  id: many(itemId),
  time: many(wholeNumber(0, Date.parse('9999-01-01'))),
  submission: flag(true),
})

/** Plays that have been heard, or with `submission=false` the one that is being heard. Of podcasts nothing is counted. */
export const scrobble = endpoint(scrobbled, async (parts, asking, { id, time, submission }) => {
  if (id.length === 0) throw new Failure(10, "Required parameter 'id' is missing")
  const heard = id
    .map((given, at) => ({ given, at: time[at] }))
    .filter(({ given }) => findEpisode(parts, given) === null)
  // Of what an app has gathered while it was away, a song that is gone takes nothing else with it.
  const plays = heard.flatMap(({ given, at }) => {
    const song = findItem(parts.catalog, asking.viewer, given, ['track'])
    return song === null ? [] : { track: song.id, at }
  })
  const [first] = plays
  if (first === undefined && heard.length > 0) throw notFound('song')
  if (first === undefined) return {}
  if (!submission) {
    reportPlaying(parts, asking, { track: first.track, positionMs: 0 })
    return {}
  }
  // One after another: plays of an album count on the same fact.
  let last = 0
  for (const { track, at } of plays) last = await submit(parts, asking, track, at)
  return settled(parts, { value: {}, revision: last }, asking.signal)
})

/** Answers the revision that has the play; 0 where it is kept until the store is back, which a header says. */
async function submit(
  { listening }: Parts,
  { viewer, signal, reply }: Asking,
  track: Id,
  at?: number,
): Promise<number> {
  // A client that reports a play again, since it got no answer, names the same time.
  const play = at === undefined ? randomUUID() : playId(`${viewer.user} ${track} ${at}`)
  const input = { play, track, ...(at !== undefined && { at }) }
  const { revision, kept } = await listening.play(viewer, input, signal)
  if (kept) reply.header('hocket-kept', 'true')
  return revision
}

function playId(name: string): Id {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

interface Report {
  readonly track: Id
  readonly positionMs: number
  readonly state?: 'starting' | 'playing' | 'paused' | 'stopped'
  readonly rate?: number
}

/** Players that say nothing more are believed this long after the end of the song, in milliseconds. */
const grace = 60_000

function reportPlaying(
  { nowPlaying, catalog, outbox }: Parts,
  { user, device, client, viewer }: Asking,
  report: Report,
): void {
  const { track, positionMs, state = 'playing', rate = 1 } = report
  const { durationMs } = catalog.source(viewer, track)
  const at = Date.now()
  const left = Math.max(0, durationMs - positionMs) / Math.max(rate, 0.1)
  const until = at + (state === 'paused' ? 3_600_000 : left) + grace
  nowPlaying.report({ user: user.id, device: device.id, client, track, state, positionMs, rate, at, until })
  if (state === 'playing' || state === 'starting')
    outbox.playing(user.id, track, (until) => catalog.track(viewer, track, until))
}

const played = z.object({
  mediaId: required(itemId),
  mediaType: required(z.enum(['song', 'podcast'])),
  positionMs: required(moment()),
  state: required(z.enum(['starting', 'playing', 'paused', 'stopped'])),
  playbackRate: optional(
    z
      .string()
      .regex(/^\d{1,2}(?:\.\d{1,9})?$/, 'not a speed')
      .transform(Number),
  ),
  ignoreScrobble: flag(false),
})

/** A song counts as heard after half of it, or four minutes. */
const enoughMs = 240_000

/** The extension `playbackReport`: what a player does now. When it stops, the play counts if enough was heard. */
export const reportPlayback = endpoint(played, async (parts, asking, report) => {
  const { mediaId, positionMs, state, playbackRate = 1, ignoreScrobble } = report
  if (findEpisode(parts, mediaId) !== null) return {}
  const track = requireItem(parts.catalog, asking.viewer, mediaId, 'track')
  if (state !== 'stopped') {
    reportPlaying(parts, asking, { track, positionMs, state, rate: playbackRate })
    return {}
  }
  parts.nowPlaying.stop(asking.device.id)
  const { durationMs } = parts.catalog.source(asking.viewer, track)
  if (ignoreScrobble || positionMs < Math.min(durationMs / 2, enoughMs)) return {}
  return settled(parts, { value: {}, revision: await submit(parts, asking, track) }, asking.signal)
})

/** What people play whose songs the asker may see. */
export const getNowPlaying = endpoint(z.object({}), async (parts, asking) => {
  const { accounts, listing, nowPlaying } = parts
  const playing = nowPlaying.list()
  const ids = playing.map(({ track }) => track)
  const songs = await listing.songContents(asking.viewer, ids, asking.signal)
  const now = Date.now()
  const entry = playing.flatMap(({ user, client, at, state, positionMs, rate, device }, place) => {
    const song = songs[place]
    if (!song) return []
    const username = accounts.user(user)?.name ?? ''
    return {
      ...song,
      username,
      minutesAgo: Math.floor((now - at) / 60_000),
      playerId: Number.parseInt(device.slice(0, 8), 16) % 2 ** 31,
      playerName: client,
      state,
      positionMs: Math.round(state === 'playing' ? positionMs + (now - at) * rate : positionMs),
      playbackRate: rate,
    }
  })
  return { nowPlaying: { entry } }
})
