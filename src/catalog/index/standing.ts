import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { bytes, integer, listed, optional, text } from '../../store/row.ts'
import type { Spelling } from './artists.ts'
import { type Key, keyOf } from './keys.ts'
import type { DocumentState } from './search/documents.ts'
import { selectFiles } from './track-files.ts'

export interface CreditRow extends Spelling {
  readonly role: number
  readonly position: number
  readonly detail: string | null
}

/** A track as it stands in the tables, with what belongs to it. */
export interface StandingTrack {
  readonly id: number
  readonly guid: Uint8Array
  readonly old: DocumentState
  readonly isUploaded: boolean
  /** In the order of the columns that were asked for, as `files`. */
  readonly values: readonly SQLOutputValue[]
  readonly credits: readonly CreditRow[]
  readonly files: readonly (readonly SQLOutputValue[])[]
}

export type StandingTracks = Map<Key, StandingTrack>

interface Asked {
  readonly columns: readonly string[]
  readonly files: readonly string[]
}

/**
 * Answers the function that reads tracks, by their GUIDs: those of an album's part together, since most of what is
 * written anew is as it was, and to see that should cost little.
 */
export function openStanding(db: DatabaseSync, condition: string, { columns, files }: Asked) {
  const track = listed(
    db.prepare(
      `SELECT id, guid, document, words, EXISTS (SELECT 1 FROM upload WHERE upload.track = track.id),
         ${columns.join(', ')} FROM track WHERE ${condition}`,
    ),
  )
  const credit = listed(
    db.prepare(
      `SELECT credit.track, credit.role, credit.position, credit.artist, credit.spelling, credit.detail
       FROM track CROSS JOIN credit ON credit.track = track.id WHERE ${condition}
       ORDER BY credit.track, credit.role, credit.position`,
    ),
  )
  const fields = ['track', ...files].map((field) => `file.${field}`)
  const file = listed(db.prepare(selectFiles(fields.join(', '), `WHERE ${condition}`)))

  return (...which: readonly (number | Uint8Array)[]): StandingTracks => {
    const standing: StandingTracks = new Map()
    const rows = track(...which)
    if (rows.length === 0) return standing
    const credits = byTrack(credit(...which), creditOf)
    const places = byTrack(file(...which), (row) => row.slice(1))
    for (const row of rows) {
      const [id, guid, document, words, isUploaded] = row
      standing.set(keyOf(bytes(guid)), {
        id: integer(id),
        guid: bytes(guid),
        old: { document: integer(document) || null, words: integer(words) },
        isUploaded: isUploaded === 1,
        values: row.slice(5),
        credits: credits.get(integer(id)) ?? [],
        files: places.get(integer(id)) ?? [],
      })
    }
    return standing
  }
}

/** Rows by the track that they begin with. */
function byTrack<Made>(
  rows: readonly SQLOutputValue[][],
  make: (row: readonly SQLOutputValue[]) => Made,
): Map<number, Made[]> {
  const made = new Map<number, Made[]>()
  for (const row of rows) {
    const track = integer(row[0])
    const found = made.get(track)
    if (found === undefined) made.set(track, [make(row)])
    else found.push(make(row))
  }
  return made
}

function creditOf([, role, position, artist, spelling, detail]: readonly SQLOutputValue[]): CreditRow {
  return {
    role: integer(role),
    position: integer(position),
    artist: integer(artist),
    spelling: integer(spelling),
    detail: optional(text, detail) ?? null,
  }
}
