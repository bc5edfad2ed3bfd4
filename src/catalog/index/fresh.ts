import type { AlbumTracks } from './albums.ts'
import type { AlbumSummary } from './summary.ts'
import type { MadeTrack } from './tracks.ts'

/**
 * Albums whose tracks have all just been put: nearly all that change, and while an index is filled, nearly all. What
 * they follow from is kept until they are summed up, so that it need not be read again.
 */
export interface FreshAlbums {
  /** All parts that the album has are about to be added. */
  begin(album: number): void
  /** A part of the album; an undefined track stood in another part before, so that the album is no longer fresh. */
  add(album: number, part: FreshPart): void
  /** Something of the album is as it is in the tables only. */
  forget(album: number): void
  /** What the album follows from, for the last time. */
  take(album: number): AlbumTracks | undefined
}

export interface FreshPart {
  /** The album's name with which the words of these tracks have been written. */
  readonly name: string
  readonly summary: AlbumSummary
  readonly tracks: readonly (MadeTrack | undefined)[]
}

interface Fresh {
  readonly names: Set<string>
  readonly summaries: AlbumSummary[]
  readonly tracks: MadeTrack[]
}

export function gatherAlbums(): FreshAlbums {
  const albums = new Map<number, Fresh>()

  return {
    begin(album) {
      albums.set(album, { names: new Set(), summaries: [], tracks: [] })
    },
    add(album, { name, summary, tracks }) {
      const fresh = albums.get(album)
      const made = tracks.filter((track) => track !== undefined)
      if (made.length < tracks.length) albums.delete(album)
      fresh?.names.add(name)
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

function albumTracks({ names, summaries, tracks }: Fresh): AlbumTracks {
  const [name, ...others] = names
  return { summaries, tracks, named: others.length === 0 ? name : undefined }
}
