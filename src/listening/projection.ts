import type { IndexedChange, Projection } from '../index/projection.ts'
import { bookmarks, playlists, shares, stations } from './facts.ts'

/**
 * Playlists and shares, so that those of a user are found, and a share without the store, as radio stations are; and at
 * which place each listener has put a bookmark, which songs say wherever they are listed. (Marks are in the catalog's
 * part of the index, beside what they mark; a queue is read from the store by its key.) The tracks of a playlist are
 * GUIDs of 36 characters, one after another.
 */
export const projection: Projection = {
  name: 'listening',
  version: 4,
  prefixes: [playlists.prefix, shares.prefix, bookmarks.prefix, stations.prefix],
  schema: `
    CREATE TABLE listening_playlist (
      guid TEXT PRIMARY KEY, owner TEXT NOT NULL, shared_with TEXT NOT NULL, fact TEXT NOT NULL, tracks TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX listening_playlist_owner ON listening_playlist (owner);
    CREATE TABLE listening_share (token TEXT PRIMARY KEY, owner TEXT NOT NULL, fact TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX listening_share_owner ON listening_share (owner);
    CREATE TABLE listening_bookmark (
      owner TEXT NOT NULL, item TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (owner, item)
    ) WITHOUT ROWID;
    CREATE TABLE listening_station (guid TEXT PRIMARY KEY, fact TEXT NOT NULL) WITHOUT ROWID;
  `,
  open(db) {
    const put = db.prepare(
      'INSERT OR REPLACE INTO listening_playlist (guid, owner, shared_with, fact, tracks) VALUES (?, ?, ?, ?, ?)',
    )
    const drop = db.prepare('DELETE FROM listening_playlist WHERE guid = ?')
    const putShare = db.prepare(
      'INSERT OR REPLACE INTO listening_share (token, owner, fact) VALUES (?, ?, ?)',
    )
    const dropShare = db.prepare('DELETE FROM listening_share WHERE token = ?')
    const putBookmark = db.prepare(
      'INSERT OR REPLACE INTO listening_bookmark (owner, item, position) VALUES (?, ?, ?)',
    )
    const dropBookmark = db.prepare('DELETE FROM listening_bookmark WHERE owner = ? AND item = ?')

    const putStation = db.prepare('INSERT OR REPLACE INTO listening_station (guid, fact) VALUES (?, ?)')
    const dropStation = db.prepare('DELETE FROM listening_station WHERE guid = ?')

    function applyShare({ key, value }: IndexedChange): void {
      const token = shares.id(key)
      if (value === null) {
        dropShare.run(token)
        return
      }
      const share = shares.decode(value)
      putShare.run(token, share.owner, JSON.stringify(share))
    }

    function applyBookmark({ key, value }: IndexedChange): void {
      const [owner = '', item = ''] = bookmarks.id(key).split('/')
      if (value === null) dropBookmark.run(owner, item)
      else putBookmark.run(owner, item, bookmarks.decode(value).positionMs)
    }

    function applyStation({ key, value }: IndexedChange): void {
      const id = stations.id(key)
      if (value === null) dropStation.run(id)
      else putStation.run(id, JSON.stringify(stations.decode(value)))
    }

    function applyPlaylist({ key, value }: IndexedChange): void {
      const id = playlists.id(key)
      if (value === null) {
        drop.run(id)
        return
      }
      const { tracks, ...fact } = playlists.decode(value)
      put.run(id, fact.owner, JSON.stringify(fact.sharedWith), JSON.stringify(fact), tracks.join(''))
    }

    return {
      apply(change) {
        if (change.key.startsWith(shares.prefix)) applyShare(change)
        else if (change.key.startsWith(bookmarks.prefix)) applyBookmark(change)
        else if (change.key.startsWith(stations.prefix)) applyStation(change)
        else applyPlaylist(change)
      },
    }
  },
}
