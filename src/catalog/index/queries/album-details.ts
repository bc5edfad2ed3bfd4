import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { AlbumSummary, ArtistRef } from '../../../protocol/api/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { idsOf, integer, listed, optional, text } from '../../../store/row.ts'
import { guidOfHex } from '../guid.ts'
import { type AlbumSays, albumSaysOf } from '../summary.ts'
import { averageOf, hexOf } from './columns.ts'
import { rowsOfIds } from './items.ts'
import {
  type ArtistRefs,
  genresOf,
  inOrderOf,
  joinMark,
  markColumns,
  markOf,
  openArtistRefs,
  visibleFigures,
} from './rows.ts'
import { type Ask, seen, type View, viewOf } from './view.ts'

/** All that the index knows of an album, as far as the viewer sees its tracks. */
export interface AlbumDetails
  extends Pick<AlbumSummary, 'id' | 'name' | 'artist' | 'year' | 'trackCount' | 'durationMs'>,
    Pick<AlbumSummary, 'compilation' | 'addedAt' | 'mark'> {
  readonly artists: readonly ArtistRef[]
  readonly genres: readonly string[]
  readonly says: AlbumSays
  /** The version of its picture; empty: it has none. */
  readonly cover: string
  readonly averageRating: number | undefined
}

export function albumDetails(db: DatabaseSync, ask: Ask, ids: readonly Id[]): Map<Id, AlbumDetails> {
  const items = openAlbumDetails(db, viewOf(db, ask))(rowsOfIds(db, 'album', ids))
  return new Map(items.map((item) => [item.id, item]))
}

/** Answers the function that reads the albums of some rows, as `openTrackDetails` does. */
export function openAlbumDetails(db: DatabaseSync, view: View): (ids: readonly number[]) => AlbumDetails[] {
  const read = listed(
    db.prepare(
      `SELECT album.id, ${hexOf('album')}, album.name, album.artist, album.artists, album.year, album.genres, album.tracks,
         album.duration, album.compilation, album.added, album.says, album.cover_version, ${averageOf('album')}, ${markColumns}
       FROM json_each(?) AS wanted CROSS JOIN album ON album.id = wanted.value ${joinMark(view, 'album')}
       WHERE true ${seen(view, 'album.scope')}`,
    ),
  )
  const find = openArtistRefs(db)
  const nameGenres = genresOf(db, 'genre')

  function detailsOf(
    row: readonly SQLOutputValue[],
    refsOf: ReturnType<ArtistRefs>,
    figures: ReturnType<typeof visibleFigures> | undefined,
  ): AlbumDetails {
    // biome-ignore format: as the columns stand in the query
    const [
      rowId, guid, name, artist, artists, year, genres, tracks,
      duration, compilation, added, says, cover, average, starred, rating, plays, played,
    ] = row
    const id = integer(rowId)
    const figure = figures?.get(id)
    return {
      id: guidOfHex(text(guid)),
      name: text(name),
      artist: text(artist),
      artists: refsOf(idsOf(text(artists))),
      year: optional(integer, year),
      genres: figure?.genres ?? nameGenres(text(genres)),
      trackCount: figure?.tracks ?? integer(tracks),
      durationMs: figure?.duration ?? integer(duration),
      compilation: compilation === 1,
      addedAt: integer(added),
      says: albumSaysOf(text(says)),
      cover: text(cover),
      averageRating: optional(integer, average),
      mark: markOf([starred, rating, plays, played]),
    }
  }

  return (ids) => {
    const list = JSON.stringify([...new Set(ids)])
    const rows = read(list)
    const refsOf = find(rows.flatMap((row) => idsOf(text(row[4]))))
    const figures = view.scopes === null ? undefined : visibleFigures(db, view, list)
    return inOrderOf(
      ids,
      rows.map((row) => [integer(row[0]), detailsOf(row, refsOf, figures)]),
    )
  }
}
