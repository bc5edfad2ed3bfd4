import type { Accounts } from '../../accounts/accounts.ts'
import { addressGroup, createThrottle } from '../../accounts/throttle.ts'
import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import type { KnownShare, Listening, ShareContent } from '../../listening/listening.ts'
import { orAborted } from '../../media/shared.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Share, ShareItem } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'

/** A share whose link is good, and its owner: what they see is the most that anyone is shown. */
export interface OpenShare {
  readonly share: KnownShare
  readonly sharer: Viewer
}

/** Shares for whoever has their link (law S3). */
export interface Shares {
  /**
   * NOT_FOUND where the token is none, SHARE_ENDED. Who tries many wrong ones from one address must wait
   * (TOO_MANY_REQUESTS); a right one is never refused.
   */
  open(token: string, address: string): OpenShare
  /** What it holds now. SHARE_ENDED where nothing is left. */
  content(open: OpenShare, signal: AbortSignal): Promise<ShareContent>
  /** Whether the track is a part of it. What leaves a playlist is refused within some seconds. */
  holds(open: OpenShare, track: Id, signal: AbortSignal): Promise<boolean>
}

export interface SharesParts {
  readonly accounts: Pick<Accounts, 'user'>
  readonly catalog: Pick<Catalog, 'source'>
  readonly listening: Pick<Listening, 'share' | 'shareContent'>
}

/**
 * A player asks for many ranges of each track: the tracks of shared playlists and artists are kept for this long, in
 * milliseconds.
 */
const keptMs = 10_000
const readMs = 30_000
/** Shares whose tracks are kept; those of one may take 2 MB. */
const mostKept = 20

export function createShares({ accounts, catalog, listening }: SharesParts): Shares {
  const guesses = createThrottle({ free: 20, longestWait: 60 }, Date.now)
  const kept = new Map<string, { readonly at: number; readonly tracks: Promise<ReadonlySet<Id>> }>()

  function keep(token: string, tracks: Promise<ReadonlySet<Id>>): Promise<ReadonlySet<Id>> {
    kept.delete(token)
    kept.set(token, { at: performance.now(), tracks })
    const oldest = kept.keys().next()
    if (kept.size > mostKept && oldest.done !== true) kept.delete(oldest.value)
    return tracks
  }

  /** The tracks of its lists, read once for all who ask meanwhile. Albums and songs need no look-up. */
  function listedTracks({ share, sharer }: OpenShare): Promise<ReadonlySet<Id>> {
    const found = kept.get(share.token)
    if (found !== undefined && performance.now() - found.at < keptMs) return found.tracks
    const items = share.items.filter(isList)
    const reading = listening.shareContent({ ...share, items }, sharer, AbortSignal.timeout(readMs))
    const tracks = keep(share.token, reading.then(listedTracksOf))
    tracks.catch(() => kept.delete(share.token))
    return tracks
  }

  return {
    open(token, address) {
      const share = listening.share(token)
      if (share === null) {
        guesses.attempt(addressGroup(address))
        throw new CodedError('NOT_FOUND', 'the link is not one of this server, or was taken back')
      }
      const owner = accounts.user(share.owner)
      if (owner === null || owner.disabled || hasEnded(share)) throw new CodedError('SHARE_ENDED')
      return { share, sharer: { user: owner.id, administrator: owner.role === 'administrator' } }
    },

    async content({ share, sharer }, signal) {
      const content = await listening.shareContent(share, sharer, signal)
      if (content.tracks.length === 0) throw new CodedError('SHARE_ENDED', 'nothing of it is left')
      keep(share.token, Promise.resolve(listedTracksOf(content)))
      return content
    },

    async holds(open, track, signal) {
      const { share, sharer } = open
      const has = (kind: string, id: Id) => share.items.some((item) => item.kind === kind && item.id === id)
      const { album } = catalog.source(sharer, track)
      if (has('track', track) || has('album', album)) return true
      if (!share.items.some(isList)) return false
      return (await orAborted(listedTracks(open), signal)).has(track)
    },
  }
}

function listedTracksOf({ items }: ShareContent): ReadonlySet<Id> {
  return new Set(items.filter(isList).flatMap(({ tracks }) => tracks.map(({ id }) => id)))
}

/** Whether what it holds must be looked up: a track does not say which playlists it is in, nor all whom it credits. */
function isList({ kind }: Pick<ShareItem, 'kind'>): boolean {
  return kind === 'playlist' || kind === 'artist'
}

function hasEnded({ expiresAt }: Share): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}

/** The page of a share, under the address by which people reach this server. */
export function shareAddress(
  { protocol, host }: { readonly protocol: string; readonly host: string },
  publicUrl: string | undefined,
  token: string,
): string {
  return `${publicUrl ?? `${protocol}://${host}`}/share/${token}`
}
