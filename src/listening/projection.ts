import type { Projection } from '../index/projection.ts'
import { playlists } from './facts.ts'

/**
 * Playlists, so that those of a user are found. (Marks are in the catalog's part of the index, beside what they mark;
 * a queue is read from the store by its key.) The tracks of a playlist are GUIDs of 36 characters, one after another.
 */
export const projection: Projection = {
  name: 'listening',
  version: 1,
  prefixes: [playlists.prefix],
  schema: `
    CREATE TABLE listening_playlist (
      guid TEXT PRIMARY KEY, owner TEXT NOT NULL, shared_with TEXT NOT NULL, fact TEXT NOT NULL, tracks TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX listening_playlist_owner ON listening_playlist (owner);
  `,
  open(db) {
    const put = db.prepare(
      'INSERT OR REPLACE INTO listening_playlist (guid, owner, shared_with, fact, tracks) VALUES (?, ?, ?, ?, ?)',
    )
    const drop = db.prepare('DELETE FROM listening_playlist WHERE guid = ?')
    return {
      apply({ key, value }) {
        const id = playlists.id(key)
        if (value === null) {
          drop.run(id)
          return
        }
        const { tracks, ...fact } = playlists.decode(value)
        put.run(id, fact.owner, JSON.stringify(fact.sharedWith), JSON.stringify(fact), tracks.join(''))
      },
    }
  },
}
