import type { ItemMark, TrackSummary } from '../protocol/api/catalog.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Mark, MarkKind } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { type Fact, join, type Operation, transact, update } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { marks } from './facts.ts'
import type { Listener, Listening, PlayInput, Written } from './listening.ts'

const nothing: Mark = { playCount: 0 }
/** Plays of a track that are remembered, and artists of it for whom a play counts. */
const mostPlays = 5
const mostArtists = 20

/** Counts a play, or rejects where the store is away: `Listening.play` keeps it then. */
export type CountPlay = (
  listener: Listener,
  input: PlayInput,
  signal?: AbortSignal,
) => Promise<Written<ItemMark>>

export function createMarks({
  store,
  catalog,
  tell,
}: Pick<ListeningOptions, 'store' | 'catalog' | 'tell'>): Pick<Listening, 'mark'> & {
  readonly count: CountPlay
} {
  return {
    async mark(listener, kind, id, { starred, rating }, signal) {
      catalog.nameOf(listener, kind, id)
      const now = Date.now()
      const { value, revision } = await update(
        store,
        marks,
        markId(listener.user, kind, id),
        (before) => {
          const mark = before ?? nothing
          const after = withRating(starred === undefined ? mark : withStar(mark, starred, now), rating)
          return saysNothing(after) ? null : after
        },
        signal,
      )
      return { value: shown(value ?? nothing), revision }
    },

    async count(listener, { play, track: id, at = Date.now() }, signal) {
      const [track] = await catalog.tracksByIds(listener, [id], signal)
      if (!track) throw new CodedError('NOT_FOUND', `track ${id}`)
      const detail = () => catalog.track(listener, id, signal)
      const playedAt = Math.min(at, Date.now())
      const { value, revision } = await transact(
        store,
        async () => {
          const own = await read(listener.user, 'track', id)
          if (own.value.lastPlays?.includes(play)) {
            return { operation: marks.expect(own.id, own.revision), value: own.value }
          }
          const value = played(own.value, playedAt, play)
          const others = await Promise.all(
            behind(track).map(([kind, item]) => read(listener.user, kind, item)),
          )
          const operations = others.map((fact) => replaced(fact, played(fact.value, playedAt)))
          const happening = { type: 'play.finished', id: play, at: playedAt, track: detail } as const
          const told = await tell(listener.user, happening, signal)
          return { operation: join(replaced(own, value), ...operations, ...told), value }
        },
        signal,
      )
      return { value: shown(value), revision }

      async function read(user: Id, kind: MarkKind, item: Id): Promise<Fact<Mark>> {
        const key = markId(user, kind, item)
        return (await marks.get(store, key, signal)) ?? { id: key, value: nothing, revision: 0 }
      }
    },
  }
}

function replaced({ id, revision }: Fact<Mark>, mark: Mark): Operation {
  return marks.replace(id, revision, mark)
}

function markId(user: Id, kind: MarkKind, item: Id): string {
  return `${user}/${kind}/${item}`
}

/** What else is played with a track. */
function behind(track: TrackSummary): [MarkKind, Id][] {
  const artists = track.artists.length > 0 ? track.artists : track.albumArtists
  const ids = new Set(artists.slice(0, mostArtists).map(({ id }) => id))
  return [['album', track.album.id], ...[...ids].map((id): [MarkKind, Id] => ['artist', id])]
}

function played(mark: Mark, at: number, play?: Id): Mark {
  return {
    ...mark,
    playCount: mark.playCount + 1,
    playedAt: Math.max(at, mark.playedAt ?? 0),
    ...(play === undefined ? {} : { lastPlays: [play, ...(mark.lastPlays ?? [])].slice(0, mostPlays) }),
  }
}

function withStar({ starredAt, ...mark }: Mark, starred: boolean, now: number): Mark {
  return starred ? { ...mark, starredAt: starredAt ?? now } : mark
}

function withRating(mark: Mark, rating: number | null | undefined): Mark {
  if (rating === undefined) return mark
  const { rating: _before, ...others } = mark
  return rating === null ? others : { ...others, rating }
}

function saysNothing({ starredAt, rating, playCount }: Mark): boolean {
  return starredAt === undefined && rating === undefined && playCount === 0
}

function shown({ lastPlays: _own, ...mark }: Mark): ItemMark {
  return mark
}
