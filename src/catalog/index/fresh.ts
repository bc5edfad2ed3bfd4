import type { AlbumTracks } from './albums.ts'
import type { AlbumSummary } from './summary.ts'
import type { MadeTrack } from './tracks.ts'

/**
 * Albums that have just been made and not been read by anybody: while an index is filled, nearly all of them. What they
 * follow from is kept until they are summed up, so that it need not be read again.
 */
export interface FreshAlbums {
  begin(album: number): void
  /** A part of the album; an undefined track was there before, so that the album is no longer fresh. */
  add(album: number, summary: AlbumSummary, tracks: readonly (MadeTrack | undefined)[]): void
  /** Something of the album is as it is in the tables only. */
  forget(album: number): void
  /** What the album follows from, for the last time. */
  take(album: number): AlbumTracks | undefined
}

interface Fresh {
  readonly summaries: AlbumSummary[]
  readonly tracks: MadeTrack[]
}

export function gatherAlbums(): FreshAlbums {
  const albums = new Map<number, Fresh>()

  return {
    begin(album) {
      albums.set(album, { summaries: [], tracks: [] })
    },
    add(album, summary, tracks) {
      const fresh = albums.get(album)
      const made = tracks.filter((track) => track !== undefined)
      if (made.length < tracks.length) albums.delete(album)
      fresh?.summaries.push(summary)
      fresh?.tracks.push(...made)
    },
    forget(album) {
      albums.delete(album)
    },
    take(album) {
      const fresh = albums.get(album)
      albums.delete(album)
      return fresh === undefined ? undefined : albumTracks(fresh)
    },
  }
}

const unwritten = { document: null, words: null }

function albumTracks({ summaries, tracks }: Fresh): AlbumTracks {
  return {
    summaries,
    tracks: tracks.map(({ id, guid, title, sort, genres, scope }) => ({
      id,
      guid,
      title,
      sort,
      genres: genres.map(({ written }) => written),
      scope,
      old: unwritten,
    })),
    credited: tracks.flatMap(({ id, credits }) => credits.map((credit) => ({ ...credit, track: id }))),
  }
}
