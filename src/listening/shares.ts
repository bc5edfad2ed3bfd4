import { randomBytes } from 'node:crypto'
import type { TrackSummary } from '../protocol/api/catalog.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import { type Share, type ShareItem, share } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { create, update } from '../store/collection.ts'
import { text } from '../store/row.ts'
import { songsOfArtist } from './artist.ts'
import type { ListeningOptions } from './create.ts'
import { mostTracks } from './edits.ts'
import { shares } from './facts.ts'
import type { Listener, Listening, SharedItem } from './listening.ts'

type ShareCalls = Pick<
  Listening,
  'shares' | 'share' | 'createShare' | 'changeShare' | 'removeShare' | 'shareContent' | 'countVisits'
>
type Parts = ListeningOptions & Pick<Listening, 'playlist'>

const sharesPerUser = 1_000
/** 128 bits: nobody comes upon one by guessing. */
const tokenBytes = 16

export function createShares({ store, index, catalog, playlist }: Parts): ShareCalls {
  const ask = index.reader<typeof import('./queries.ts')>(new URL('./queries.ts', import.meta.url))

  async function requireVisible(listener: Listener, { kind, id }: ShareItem, signal?: AbortSignal) {
    if (kind === 'playlist') await playlist(listener, id, signal)
    else catalog.nameOf(listener, kind, id)
  }

  /** The single songs, all at once: there may be a thousand. */
  async function songsAmong(sharer: Listener, items: readonly ShareItem[], signal?: AbortSignal) {
    const ids = items.filter(({ kind }) => kind === 'track').map(({ id }) => id)
    const songs = ids.length === 0 ? [] : await catalog.tracksByIds(sharer, ids, signal)
    return new Map(songs.flatMap((song) => (song === null ? [] : [[song.id, song] as const])))
  }

  /** No more than a share plays, or some hundreds above. */
  async function songsOf(sharer: Listener, artist: Id, signal?: AbortSignal): Promise<TrackSummary[]> {
    const songs: TrackSummary[] = []
    for await (const page of songsOfArtist(catalog, sharer, artist, signal)) {
      songs.push(...page)
      if (songs.length >= mostTracks) break
    }
    return songs
  }

  async function itemNow(
    sharer: Listener,
    { kind, id }: ShareItem,
    songs: ReadonlyMap<Id, TrackSummary>,
    signal?: AbortSignal,
  ): Promise<SharedItem | null> {
    if (kind === 'track') {
      const track = songs.get(id)
      if (track === undefined) return null
      const { title, artist, year, cover } = track
      return { kind, id, name: title, artist, year, cover, tracks: [track] }
    }
    if (kind === 'album') {
      const { name, artist, year, cover, tracks } = await catalog.album(sharer, id, signal)
      return { kind, id, name, artist, year, cover, tracks }
    }
    if (kind === 'artist') {
      const [artist] = await catalog.artistsByIds(sharer, [id], signal)
      if (!artist) return null
      const { name, cover } = artist
      return { kind, id, name, cover, tracks: await songsOf(sharer, id, signal) }
    }
    const { name, cover, items } = await playlist(sharer, id, signal)
    return { kind, id, name, cover, tracks: items.filter((track) => track !== null) }
  }

  return {
    shares: (listener, signal) => ask.sharesOf(listener.user, signal),

    share(token) {
      if (index.progress.state === 'filling') throw new CodedError('BEHIND', 'the index is being filled')
      const row = index.statement('SELECT fact FROM listening_share WHERE token = ?').get(token)
      return row === undefined ? null : { ...share.parse(JSON.parse(text(row.fact))), token }
    },

    async createShare(listener, input, signal) {
      for (const item of input.items) await requireVisible(listener, item, signal)
      if ((await ask.sharesOf(listener.user, signal)).length >= sharesPerUser) {
        throw new CodedError('TOO_LARGE', `an account has at most ${sharesPerUser} shares; delete one`)
      }
      const token = randomBytes(tokenBytes).toString('hex')
      const made: Share = { ...input, owner: listener.user, createdAt: Date.now(), visitCount: 0 }
      const { revision } = await create(store, shares, token, made, signal)
      return { value: { ...made, token }, revision }
    },

    async changeShare(listener, token, { description, expiresAt }, signal) {
      const change = (before: Share | null): Share => {
        const { description: _description, expiresAt: _expiresAt, ...rest } = owned(before, listener)
        const described = description === undefined ? before?.description : (description ?? undefined)
        const until = expiresAt === undefined ? before?.expiresAt : (expiresAt ?? undefined)
        return {
          ...rest,
          ...(described !== undefined && { description: described }),
          ...(until !== undefined && { expiresAt: until }),
        }
      }
      const { value, revision } = await update(store, shares, token, change, signal)
      return { value: { ...owned(value, listener), token }, revision }
    },

    async removeShare(listener, token, signal) {
      const remove = (before: Share | null) => {
        owned(before, listener)
        return null
      }
      const { revision } = await update(store, shares, token, remove, signal)
      return { value: undefined, revision }
    },

    async shareContent({ items }, sharer, signal) {
      const found: SharedItem[] = []
      const songs = await songsAmong(sharer, items, signal)
      for (const item of items) {
        const now = await itemNow(sharer, item, songs, signal).catch((error: unknown) => {
          // It was deleted, or the sharer does not see it any more.
          if (isCoded(error, 'NOT_FOUND')) return null
          throw error
        })
        if (now !== null && now.tracks.length > 0) found.push(now)
      }
      return { items: found, tracks: found.flatMap(({ tracks }) => tracks).slice(0, mostTracks) }
    },

    async countVisits(token, visits, at, signal) {
      const count = (before: Share | null) =>
        before && {
          ...before,
          visitCount: before.visitCount + visits,
          visitedAt: Math.max(at, before.visitedAt ?? 0),
        }
      await update(store, shares, token, count, signal)
    },
  }
}

/** The share, where it is the listener's own. */
function owned(found: Share | null, { user }: Listener): Share {
  if (found === null) throw new CodedError('NOT_FOUND', 'the share')
  if (found.owner !== user) throw new CodedError('FORBIDDEN', 'only its owner changes a share')
  return found
}
