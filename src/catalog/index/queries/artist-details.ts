import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { ArtistSummary } from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { idsOf, integer, listed, optional, text } from '../../../store/row.ts'
import { guidOfHex } from '../guid.ts'
import { sortText } from '../keys.ts'
import { roles } from '../track-credits.ts'
import { averageOf, hexOf } from './columns.ts'
import { rowsOfIds } from './items.ts'
import { inOrderOf, joinMark, markColumns, markOf, visibleCounts } from './rows.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'

/** All that the index knows of an artist. */
export interface ArtistDetails
  extends Pick<ArtistSummary, 'id' | 'name' | 'sortName' | 'albumCount' | 'mark'> {
  readonly musicBrainzId: string | undefined
  readonly averageRating: number | undefined
  /** What they do: of albums, of tracks, as composers, and whatever tags call it. */
  readonly roles: readonly string[]
}

export function artistDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, ArtistDetails> {
  const items = openArtistDetails(db, viewOf(db, ask))(rowsOfIds(db, 'artist', ids))
  return new Map(items.map((item) => [item.id, item]))
}

/** Answers the function that reads the artists of some rows, as `openTrackDetails` does. */
export function openArtistDetails(db: DatabaseSync, view: View): (ids: readonly number[]) => ArtistDetails[] {
  // Each role is found by the one before: some artists have ten thousand credits, and nobody more than a few roles.
  const read = listed(
    db.prepare(
      `SELECT artist.id, ${hexOf('artist')}, artist.name, artist.sort, artist.musicbrainz, artist.albums,
         ${averageOf('artist')}, (
           WITH RECURSIVE own (role) AS (
             SELECT min(role) FROM credit WHERE credit.artist = artist.id AND role > ${roles.albumArtist}
             UNION ALL
             SELECT (SELECT min(role) FROM credit WHERE credit.artist = artist.id AND role > own.role)
             FROM own WHERE own.role IS NOT NULL
           ) SELECT group_concat(role) FROM own
         ), ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN artist ON artist.id = wanted.value ${joinMark(view, 'artist')}
       WHERE true ${seen(view, 'artist.scope')}`,
    ),
  )
  const namesOf = roleNames(db)

  function detailsOf(
    row: readonly SQLOutputValue[],
    counts: ReturnType<typeof visibleCounts> | undefined,
  ): ArtistDetails {
    const [id, guid, name, sort, musicBrainzId, albums, average, credited, ...mark] = row
    const seenAlbums = counts === undefined ? albums : counts.get(integer(id))?.albums
    const own = namesOf(optional(text, credited) ?? '')
    return {
      id: guidOfHex(text(guid)),
      name: text(name),
      sortName: optional(text, sort) ?? sortText(text(name), null),
      albumCount: optional(integer, seenAlbums) ?? 0,
      musicBrainzId: optional(text, musicBrainzId),
      averageRating: optional(integer, average),
      roles: integer(albums) > 0 ? ['albumartist', ...own] : own,
      mark: markOf(mark),
    }
  }

  return (ids) => {
    const list = JSON.stringify([...new Set(ids)])
    const counts = view.scopes === null ? undefined : visibleCounts(db, view, list)
    return inOrderOf(
      ids,
      read(list).map((row) => [integer(row[0]), detailsOf(row, counts)]),
    )
  }
}

/** Answers the function that names the roles whose numbers stand in a list. */
function roleNames(db: DatabaseSync): (numbers: string) => readonly string[] {
  const names = new Map<number, string>([
    [roles.artist, 'artist'],
    [roles.composer, 'composer'],
    ...db
      .prepare('SELECT id, name FROM role')
      .all()
      .map((row): [number, string] => [integer(row.id) + 10, text(row.name)]),
  ])
  const lists = new Map<string, readonly string[]>()
  return (numbers) => {
    const found = lists.get(numbers) ?? idsOf(numbers).flatMap((role) => names.get(role) ?? [])
    lists.set(numbers, found)
    return found
  }
}
