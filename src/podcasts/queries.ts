import type { SQLOutputValue, StatementSync } from 'node:sqlite'
import type { PodcastChannel, PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Id } from '../protocol/ids.ts'
import { integer, text, written } from '../store/row.ts'
import { titleOf } from './names.ts'
import type { EpisodePage, KnownChannel, KnownEpisode, ShownChannel, WantedEpisodes } from './podcasts.ts'

/** Questions to the index, from any thread: `prepare` is that of a database, or one that keeps its statements. */
export interface Asked {
  prepare(sql: string): StatementSync
}
type Row = Record<string, SQLOutputValue>

/** What a channel that is gone has left behind is shown to nobody. */
const episodesShown = `SELECT podcasts_episode.guid, podcasts_episode.channel, podcasts_episode.fact,
    podcasts_channel.fact AS channel_fact
  FROM podcasts_episode CROSS JOIN podcasts_channel ON podcasts_channel.guid = podcasts_episode.channel`

export function findChannel(asked: Asked, id: Id): KnownChannel | null {
  const row = asked.prepare('SELECT guid, fact FROM podcasts_channel WHERE guid = ?').get(id)
  return row === undefined ? null : channelOf(row)
}

/** By their titles. */
export function findChannels(asked: Asked): KnownChannel[] {
  return asked
    .prepare('SELECT guid, fact FROM podcasts_channel')
    .all()
    .map(channelOf)
    .sort((one, other) => titleOf(one).localeCompare(titleOf(other)) || (one.id < other.id ? -1 : 1))
}

export function findEpisode(asked: Asked, id: Id): KnownEpisode | null {
  const row = asked.prepare(`${episodesShown} WHERE podcasts_episode.guid = ?`).get(id)
  return row === undefined ? null : episodeOf(row)
}

/** The newest first. */
export function findEpisodes(asked: Asked, channel: KnownChannel): KnownEpisode[] {
  return asked
    .prepare('SELECT guid, fact FROM podcasts_episode WHERE channel = ? ORDER BY published DESC, guid')
    .all(channel.id)
    .map(({ guid, fact }) => ({ ...written<PodcastEpisode>(fact), id: text(guid), channel }))
}

/** Of all channels, the newest first. */
export function findNewestEpisodes(asked: Asked, count: number): KnownEpisode[] {
  return asked
    .prepare(`${episodesShown} ORDER BY published DESC, podcasts_episode.guid LIMIT ?`)
    .all(count)
    .map(episodeOf)
}

/** Channels by their titles, each with how many episodes there are of it, and when the newest was published. */
export function findShownChannels(asked: Asked): ShownChannel[] {
  const count = asked.prepare(
    'SELECT count(*) AS count, max(published) AS newest FROM podcasts_episode WHERE channel = ?',
  )
  return findChannels(asked).map((channel) => {
    const row = count.get(channel.id)
    const newestAt = row?.newest
    return {
      ...channel,
      episodeCount: integer(row?.count ?? 0),
      ...(newestAt !== null && newestAt !== undefined && { newestAt: integer(newestAt) }),
    }
  })
}

/** A part of the episodes of a channel, or of all, the newest first. */
export function findEpisodePage(asked: Asked, { channel, offset, limit }: WantedEpisodes): EpisodePage {
  const [where, given] = channel === undefined ? ['', []] : ['WHERE podcasts_episode.channel = ?', [channel]]
  const items = asked
    .prepare(
      `${episodesShown} ${where} ORDER BY published DESC, podcasts_episode.guid LIMIT ${limit} OFFSET ${offset}`,
    )
    .all(...given)
    .map(episodeOf)
  const row = asked
    .prepare(
      `SELECT count(*) AS total FROM podcasts_episode
       CROSS JOIN podcasts_channel ON podcasts_channel.guid = podcasts_episode.channel ${where}`,
    )
    .get(...given)
  return { items, total: integer(row?.total ?? 0) }
}

/** Those that are to be downloaded. */
export function wantedEpisodes(asked: Asked): KnownEpisode[] {
  return asked.prepare(`${episodesShown} WHERE state = 'wanted'`).all().map(episodeOf)
}

/** Channels that are gone, of which there are episodes still. */
export function orphanedChannels(asked: Asked): Id[] {
  // From one channel to the next, past all their episodes.
  return asked
    .prepare(
      `WITH RECURSIVE one (channel) AS (
       SELECT min(channel) FROM podcasts_episode
       UNION ALL SELECT (SELECT min(channel) FROM podcasts_episode WHERE channel > one.channel) FROM one
         WHERE one.channel IS NOT NULL
     ) SELECT channel FROM one WHERE channel IS NOT NULL AND channel NOT IN (SELECT guid FROM podcasts_channel)`,
    )
    .all()
    .map(({ channel }) => text(channel))
}

function channelOf({ guid, fact }: Row): KnownChannel {
  return { ...written<PodcastChannel>(fact), id: text(guid) }
}

function episodeOf({ guid, channel, fact, channel_fact }: Row): KnownEpisode {
  return {
    ...written<PodcastEpisode>(fact),
    id: text(guid),
    channel: { ...written<PodcastChannel>(channel_fact), id: text(channel) },
  }
}
