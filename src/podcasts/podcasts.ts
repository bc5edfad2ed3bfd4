import type { PodcastChannel, PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Id } from '../protocol/ids.ts'

/** What was written, and the store's revision that has it. */
export interface Written<Value> {
  readonly value: Value
  readonly revision: number
}

/** A channel as it is known. */
export interface KnownChannel extends PodcastChannel {
  readonly id: Id
}

/** An episode as it is known, with its channel. */
export interface KnownEpisode extends PodcastEpisode {
  readonly id: Id
  readonly channel: KnownChannel
}

/** A channel with what can be said of its episodes. */
export interface ShownChannel extends KnownChannel {
  readonly episodeCount: number
  readonly newestAt?: number
}

export interface WantedEpisodes {
  /** Absent: of all channels. */
  readonly channel?: Id | undefined
  readonly offset: number
  readonly limit: number
}

export interface EpisodePage {
  readonly items: readonly KnownEpisode[]
  readonly total: number
}

/**
 * Podcasts, kept for everyone. Commands say what should be; what is looked for and downloaded is the business of whoever
 * is the operator. Who may command is for the gateway to say.
 */
export interface Podcasts {
  /** Microseconds, from the index; null where there is none. */
  channel(id: Id): KnownChannel | null
  episode(id: Id): KnownEpisode | null
  /** By their titles. */
  channels(signal?: AbortSignal): Promise<readonly ShownChannel[]>
  /** The newest first. */
  episodes(wanted: WantedEpisodes, signal?: AbortSignal): Promise<EpisodePage>

  /** Subscribes to the feed at `url`, which is read soon; nothing where that is so already. */
  subscribe(user: Id, url: string, signal?: AbortSignal): Promise<Written<Id>>
  /** Its episodes go with it, and what was downloaded of them. NOT_FOUND. */
  unsubscribe(channel: Id, signal?: AbortSignal): Promise<Written<void>>
  /** Has every feed looked at now. */
  refresh(signal?: AbortSignal): Promise<Written<void>>
  /** Has an episode downloaded; nothing where it is here. NOT_FOUND. */
  download(episode: Id, signal?: AbortSignal): Promise<Written<void>>
  /** Its audio goes, and it is not downloaded until somebody asks for it again. NOT_FOUND. */
  discard(episode: Id, signal?: AbortSignal): Promise<Written<void>>
}
