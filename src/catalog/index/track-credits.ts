import type { Credit, Track } from '../../protocol/facts/catalog.ts'
import { integer } from '../../store/row.ts'
import type { Artists, Parts } from './artists.ts'
import type { CreditRow } from './standing.ts'

/** The roles of credits that have a fixed row; contributors bring others. */
export const roles = { albumArtist: 0, artist: 1, composer: 2 } as const
/** Rows of the table of roles stand above those: what has row 1 there is this and one. */
export const firstOwnRole = 10

/** A credit with the names as the track writes them. */
export interface MadeCredit extends CreditRow {
  readonly name: string
  readonly sort: string
}

/** One of the column `credits`, in the order of roles and positions: the role, the artist's row, and what more is said of it. */
export type TrackCredit = readonly [role: number, artist: number, detail?: string]

/** Our own JSON, as it stands in the index. */
export function trackCreditsOf(json: string): readonly TrackCredit[] {
  return JSON.parse(json)
}

export function writeTrackCredits(credits: readonly CreditRow[]): string {
  const all = credits.map(({ role, artist, detail }): TrackCredit => {
    return detail === null ? [role, artist] : [role, artist, detail]
  })
  return JSON.stringify(all)
}

/** Who is credited on tracks. */
export function openCredits({ db, numbers, artists }: Parts & { readonly artists: Artists }) {
  const insert = db.prepare(
    'INSERT INTO credit (track, role, position, artist, spelling, detail) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const drop = db.prepare('DELETE FROM credit WHERE track = ?')
  const role = db.prepare('SELECT id FROM role WHERE name = ?')
  const makeRole = db.prepare('INSERT INTO role (id, name) VALUES (?, ?) RETURNING id')
  const roleOf = (name: string) =>
    name === 'composer' ? roles.composer : name === 'artist' ? roles.artist : rowOfRole(name)
  const rowOfRole = (name: string) =>
    integer((role.get(name) ?? makeRole.get(numbers.of('role', name), name))?.id) + firstOwnRole

  return {
    resolve({ tags }: Track): MadeCredit[] {
      const made: MadeCredit[] = []
      const add = (credit: Credit, role: number, detail: string | null) => {
        const { artist, spelling } = artists.resolve(credit)
        const { name, sortName: sort = '' } = credit
        made.push({ role, position: made.length, artist, spelling, name, sort, detail })
      }
      for (const each of tags.artists) add(each, roles.artist, null)
      for (const each of tags.composers) add(each, roles.composer, null)
      for (const each of tags.contributors) add(each, roleOf(each.role), each.subRole ?? null)
      return made.sort((a, b) => a.role - b.role || a.position - b.position)
    },
    replace(track: number, before: readonly CreditRow[], after: readonly CreditRow[]): void {
      if (sameCredits(before, after)) return
      if (before.length > 0) drop.run(track)
      for (const { role, position, artist, spelling, detail } of after) {
        insert.run(track, role, position, artist, spelling, detail)
      }
    },
  }
}

export function sameCredits(before: readonly CreditRow[], after: readonly CreditRow[]): boolean {
  return (
    before.length === after.length &&
    before.every((row, at) => {
      const other = after[at]
      return (
        row.role === other?.role &&
        row.position === other.position &&
        row.spelling === other.spelling &&
        row.detail === other.detail
      )
    })
  )
}
