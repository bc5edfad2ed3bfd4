import type { DatabaseSync } from 'node:sqlite'
import type { Playlist, Share, Station } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { integer, listed, text, written } from '../store/row.ts'

const guidLength = 36

/** The playlists that a user may read: their own, and those that are shared with them. By name. */
export function playlistsOf(db: DatabaseSync, user: Id): Playlist[] {
  return db
    .prepare(
      `SELECT fact, tracks FROM listening_playlist WHERE owner = ?1
       UNION ALL SELECT fact, tracks FROM listening_playlist
       WHERE owner <> ?1 AND (shared_with = '"everyone"' OR instr(shared_with, ?1) > 0)`,
    )
    .all(user)
    .map((row) => ({
      ...written<Omit<Playlist, 'tracks'>>(row.fact),
      tracks: guidsOf(text(row.tracks)),
    }))
    .sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1))
}

function guidsOf(column: string): Id[] {
  return Array.from({ length: column.length / guidLength }, (_, at) =>
    column.slice(at * guidLength, (at + 1) * guidLength),
  )
}

/** What a user shares, the newest first. */
export function sharesOf(db: DatabaseSync, user: Id): (Share & { readonly token: string })[] {
  return db
    .prepare('SELECT token, fact FROM listening_share WHERE owner = ?')
    .all(user)
    .map((row) => ({ ...written<Share>(row.fact), token: text(row.token) }))
    .sort((one, other) => other.createdAt - one.createdAt || (one.token < other.token ? -1 : 1))
}

/** At which millisecond a user goes on in each track and episode in which they have put a bookmark. */
export function bookmarkPositions(db: DatabaseSync, user: Id): ReadonlyMap<Id, number> {
  const read = listed(db.prepare('SELECT item, position FROM listening_bookmark WHERE owner = ?'))
  return new Map(read(user).map(([item, position]) => [text(item), integer(position)]))
}

/** Internet radio stations, by name. */
export function stations(db: DatabaseSync): Station[] {
  return db
    .prepare('SELECT fact FROM listening_station')
    .all()
    .map(({ fact }) => written<Station>(fact))
    .sort((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1))
}
