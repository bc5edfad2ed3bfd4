import type { Index } from '../index/index.ts'
import { CodedError } from '../protocol/errors.ts'
import type { PodcastChannel, PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Id } from '../protocol/ids.ts'
import { update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { channelId, channels, episodeKey, episodes } from './facts.ts'
import type { Podcasts, Written } from './podcasts.ts'
import { findChannel, findChannels, findEpisode } from './queries.ts'

export interface PodcastsOptions {
  readonly store: Store
  /** With `podcastsProjection`. */
  readonly index: Pick<Index, 'statement' | 'reader'>
}

/** The module of the index's part that finds channels and episodes. */
export const podcastsProjection = new URL('./projection.ts', import.meta.url)

export function createPodcasts({ store, index }: PodcastsOptions): Podcasts {
  const asked = { prepare: index.statement }
  const reader = index.reader<typeof import('./queries.ts')>(new URL('./queries.ts', import.meta.url))

  async function change(
    id: Id,
    what: (before: PodcastEpisode) => PodcastEpisode,
    signal?: AbortSignal,
  ): Promise<Written<void>> {
    const known = findEpisode(asked, id)
    if (known === null) throw new CodedError('NOT_FOUND', `podcast episode ${id}`)
    const changed = (before: PodcastEpisode | null) => {
      if (before === null) throw new CodedError('NOT_FOUND', `podcast episode ${id}`)
      return what(before)
    }
    const { revision } = await update(store, episodes, episodeKey(known.channel.id, id), changed, signal)
    return { value: undefined, revision }
  }

  return {
    channel: (id) => findChannel(asked, id),
    episode: (id) => findEpisode(asked, id),
    channels: (signal) => reader.findShownChannels(signal),
    episodes: (wanted, signal) => reader.findEpisodePage(wanted, signal),
    async subscribe(user, url, signal) {
      const id = channelId(url)
      const added: PodcastChannel = { url, addedBy: user, addedAt: Date.now(), feed: {}, failures: 0 }
      const { revision } = await update(store, channels, id, (before) => before ?? added, signal)
      return { value: id, revision }
    },
    async unsubscribe(id, signal) {
      const gone = (before: PodcastChannel | null) => {
        if (before === null) throw new CodedError('NOT_FOUND', `podcast ${id}`)
        return null
      }
      const { revision } = await update(store, channels, id, gone, signal)
      return { value: undefined, revision }
    },
    async refresh(signal) {
      // Later than the last look, also by the clock of whoever looked.
      const ask = (before: PodcastChannel | null) =>
        before && { ...before, askedAt: Math.max(Date.now(), (before.checkedAt ?? 0) + 1) }
      let last = 0
      for (const { id } of findChannels(asked)) {
        const { revision } = await update(store, channels, id, ask, signal)
        last = Math.max(last, revision)
      }
      return { value: undefined, revision: last }
    },
    download: (id, signal) => change(id, wanted, signal),
    discard: (id, signal) => change(id, discarded, signal),
  }
}

/** Asked for again, whatever came of it before. */
function wanted(before: PodcastEpisode): PodcastEpisode {
  if (before.state === 'kept') return before
  const { retryAt: _at, trouble: _trouble, ...rest } = before
  return { ...rest, state: 'wanted', failures: 0 }
}

function discarded(before: PodcastEpisode): PodcastEpisode {
  const { retryAt: _at, trouble: _trouble, kept, ...rest } = before
  const wasHere = kept !== undefined || before.state === 'deleted'
  return { ...rest, state: wasHere ? 'deleted' : 'skipped', failures: 0 }
}
