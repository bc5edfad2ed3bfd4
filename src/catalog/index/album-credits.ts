import type { Credit } from '../../protocol/facts/catalog.ts'
import { integer, optional } from '../../store/row.ts'
import { roles } from './track-credits.ts'
import type { TrackParts } from './tracks.ts'

interface AlbumCredit {
  readonly role: number
  readonly position: number
  readonly artist: number
  /** Of album artists only; others are spelled by their tracks. */
  readonly spelling: number | null
}

/** Who is credited on a track, and as what. */
interface Credited {
  readonly role: number
  readonly artist: number
}

/** Where an album stands: who sees it, and since when it is there. */
interface Standing {
  readonly scope: number
  readonly added: number
}

/** Who the album is by, and everyone who is credited on its tracks. */
export function openAlbumCredits({ db, artists }: TrackParts) {
  const read = db.prepare(
    'SELECT role, position, artist, spelling FROM album_credit WHERE album = ? ORDER BY role, position',
  )
  const drop = db.prepare('DELETE FROM album_credit WHERE album = ?')
  const insert = db.prepare(
    'INSERT INTO album_credit (album, role, position, artist, spelling) VALUES (?, ?, ?, ?, ?)',
  )

  function of(album: number): AlbumCredit[] {
    return read.all(album).map((row) => ({
      role: integer(row.role),
      position: integer(row.position),
      artist: integer(row.artist),
      spelling: optional(integer, row.spelling) ?? null,
    }))
  }

  function count(credits: readonly AlbumCredit[], { scope, added }: Standing, delta: 1 | -1): void {
    for (const { artist, spelling } of credits) {
      if (spelling !== null) artists.use({ artist, spelling }, delta)
    }
    const main = credits.filter(({ role }) => role === roles.albumArtist).map(({ artist }) => artist)
    for (const artist of new Set(main)) artists.count(artist, scope, { albums: delta, added })
  }

  return {
    /** Answers the rows of the artists whom the album is by. */
    replace(
      album: number,
      stands: { before: Standing; after: Standing },
      albumArtists: readonly Credit[],
      tracks: readonly { readonly credits: readonly Credited[] }[],
    ): number[] {
      const before = of(album)
      const main = albumArtists.map((each, position) => ({
        role: roles.albumArtist,
        position,
        ...artists.resolve(each),
      }))
      const credited = new Map<string, Credited>()
      for (const { credits } of tracks) {
        for (const { role, artist } of credits) credited.set(`${role} ${artist}`, { role, artist })
      }
      const after = [
        ...main,
        ...[...credited.values()].map((each) => ({ ...each, position: each.artist, spelling: null })),
      ].sort((a, b) => a.role - b.role || a.position - b.position)
      const by = [...new Set(main.map(({ artist }) => artist))]
      const unchanged = same(before, after)
      if (
        unchanged &&
        stands.before.scope === stands.after.scope &&
        stands.before.added === stands.after.added
      )
        return by
      count(before, stands.before, -1)
      count(after, stands.after, 1)
      if (unchanged) return by
      if (before.length > 0) drop.run(album)
      for (const each of after) insert.run(album, each.role, each.position, each.artist, each.spelling)
      return by
    },
  }
}

function same(before: readonly AlbumCredit[], after: readonly AlbumCredit[]): boolean {
  return (
    before.length === after.length &&
    before.every((row, at) => {
      const other = after[at]
      return row.role === other?.role && row.position === other.position && row.spelling === other.spelling
    })
  )
}
