import type { IndexedChange, Projection } from '../index/projection.ts'
import type { BlobHash } from '../protocol/ids.ts'
import { channels, episodes, idsOf } from './facts.ts'

interface Bytes {
  readonly blob: BlobHash
  readonly size: number
}

/**
 * Channels and episodes as they are shown, newest first; what the operator has to do; and the blobs that podcasts need,
 * by the key of the fact that names them.
 */
export const projection: Projection = {
  name: 'podcasts',
  version: 1,
  prefixes: [channels.prefix, episodes.prefix],
  schema: `
    CREATE TABLE podcasts_channel (guid TEXT PRIMARY KEY, fact TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE podcasts_episode (
      guid TEXT PRIMARY KEY, channel TEXT NOT NULL, published INTEGER NOT NULL, state TEXT NOT NULL, fact TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE podcasts_blob (
      blob TEXT NOT NULL, fact TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (blob, fact)
    ) WITHOUT ROWID;
    CREATE INDEX podcasts_blob_fact ON podcasts_blob (fact);
  `,
  indexes: `
    CREATE INDEX IF NOT EXISTS podcasts_episode_channel ON podcasts_episode (channel, published);
    CREATE INDEX IF NOT EXISTS podcasts_episode_newest ON podcasts_episode (published);
    CREATE INDEX IF NOT EXISTS podcasts_episode_wanted ON podcasts_episode (state) WHERE state = 'wanted';
  `,
  open(db) {
    const putChannel = db.prepare('INSERT OR REPLACE INTO podcasts_channel (guid, fact) VALUES (?, ?)')
    const dropChannel = db.prepare('DELETE FROM podcasts_channel WHERE guid = ?')
    const putEpisode = db.prepare(
      'INSERT OR REPLACE INTO podcasts_episode (guid, channel, published, state, fact) VALUES (?, ?, ?, ?, ?)',
    )
    const dropEpisode = db.prepare('DELETE FROM podcasts_episode WHERE guid = ?')
    const putBlob = db.prepare('INSERT OR REPLACE INTO podcasts_blob (blob, fact, size) VALUES (?, ?, ?)')
    const dropBlobs = db.prepare('DELETE FROM podcasts_blob WHERE fact = ?')

    function applyBlobs(key: string, blobs: readonly (Bytes | undefined)[]): void {
      dropBlobs.run(key)
      for (const bytes of blobs) if (bytes !== undefined) putBlob.run(bytes.blob, key, bytes.size)
    }

    function applyChannel({ key, value }: IndexedChange): void {
      const id = channels.id(key)
      const channel = value && channels.decode(value)
      if (channel === null) dropChannel.run(id)
      else putChannel.run(id, JSON.stringify(channel))
      applyBlobs(key, [channel?.image])
    }

    function applyEpisode({ key, value }: IndexedChange): void {
      const { channel, episode: id } = idsOf(episodes.id(key))
      const episode = value && episodes.decode(value)
      if (episode === null) dropEpisode.run(id)
      else {
        const published = episode.feed.publishedAt ?? episode.addedAt
        putEpisode.run(id, channel, published, episode.state, JSON.stringify(episode))
      }
      applyBlobs(key, [episode?.kept, episode?.image])
    }

    return {
      apply(change) {
        if (change.key.startsWith(channels.prefix)) applyChannel(change)
        else applyEpisode(change)
      },
    }
  },
}
