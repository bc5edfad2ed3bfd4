import type { DatabaseSync } from 'node:sqlite'
import type { Id } from '../../../protocol/ids.ts'
import { bytes, integer, optional, text } from '../../../store/row.ts'
import { guidBytes, guidOf } from '../guid.ts'
import { nameKey, sortText } from '../keys.ts'
import { lists } from '../lists.ts'
import { plainText } from '../search/words.ts'
import { roles } from '../track-credits.ts'
import { selectFiles } from '../track-files.ts'
import { type Ask, seen, sees, type View, viewOf } from './view.ts'

/** A track as a playlist file names it. */
export interface TrackLine {
  /** Relative to its library; for an upload, the name that the file had. */
  readonly path: string
  readonly title: string
  readonly artist: string
  readonly durationMs: number
}

/** How playlist files name these tracks; null for those that the viewer does not see. */
export function trackLines(db: DatabaseSync, ask: Ask, ids: readonly Id[]): (TrackLine | null)[] {
  const view = viewOf(db, ask)
  const track = db.prepare(
    `SELECT track.id, track.title, track.artist, track.duration, track.scope, upload.file_name FROM track
     LEFT JOIN upload ON upload.track = track.id WHERE track.guid = ?`,
  )
  const files = db.prepare(
    `${selectFiles('file.library, file.path AS path', 'WHERE track.id = ?1')} ORDER BY path`,
  )
  const artists = db.prepare(
    `SELECT spelling.name FROM credit JOIN spelling ON spelling.id = credit.spelling
     WHERE credit.track = ? AND credit.role = ${roles.artist} ORDER BY credit.position`,
  )
  const own = [...view.libraries.values()]
  return ids.map((id) => {
    const row = track.get(guidBytes(id))
    if (row === undefined || !sees(view, integer(row.scope))) return null
    const place = files.all(integer(row.id)).find((file) => own.includes(integer(file.library)))
    const names = artists.all(integer(row.id)).map(({ name }) => text(name))
    return {
      path: optional(text, place?.path) ?? optional(text, row.file_name) ?? text(row.title),
      title: text(row.title),
      artist: optional(text, row.artist) ?? names.join(', '),
      durationMs: integer(row.duration),
    }
  })
}

/** A line of a playlist file that is to be found again. */
export interface WantedLine {
  readonly path: string
  readonly title?: string | undefined
  readonly artist?: string | undefined
  readonly durationMs?: number | undefined
}

/** Durations that differ by less are the same. */
const tolerance = 3_000
/** Tracks of the same title, or files of the same name, that are compared for one line. */
const mostCompared = 200

/**
 * The track that each line means, or null: the file whose path ends in most of the line's path, else the track with
 * its title and artist, by its duration where several have them.
 */
export function tracksByLines(db: DatabaseSync, ask: Ask, lines: readonly WantedLine[]): (Id | null)[] {
  const view = viewOf(db, ask)
  const byPath = openPathSearch(db, view)
  const byTitle = openTitleSearch(db, view)
  return lines.map((line) => byPath(line.path) ?? byTitle(line) ?? null)
}

/**
 * Finds a file by the end of its path: whole first, then without its first folder, and so on to the last folder and
 * the name. A name alone would find the wrong one of many "01.mp3".
 */
function openPathSearch(db: DatabaseSync, view: View): (path: string) => Id | undefined {
  const exact = db.prepare(
    `SELECT track.guid FROM file JOIN track ON track.id = file.track
     WHERE file.library = ? AND file.path = ? ${seen(view, 'track.scope')} LIMIT 1`,
  )
  return (path) => {
    const names = path
      .replaceAll('\\', '/')
      .split('/')
      .filter((name) => name !== '' && name !== '.')
      .slice(-16)
    for (let from = 0; from < names.length; from++) {
      for (const library of view.libraries.values()) {
        const found = exact.get(library, names.slice(from).join('/'))
        if (found !== undefined) return guidOf(bytes(found.guid))
      }
    }
    return undefined
  }
}

function openTitleSearch(db: DatabaseSync, view: View): (line: WantedLine) => Id | undefined {
  const titled = db.prepare(
    `SELECT track.id, track.guid, track.title, track.artist, track.duration FROM entry
     JOIN track ON track.id = entry.item
     WHERE entry.list = ${lists.tracksByTitle} AND entry.key >= ? AND entry.key < ? ${seen(view, 'track.scope')}
     LIMIT ${mostCompared}`,
  )
  const artists = db.prepare(
    `SELECT spelling.name FROM credit JOIN spelling ON spelling.id = credit.spelling
     WHERE credit.track = ? AND credit.role = ${roles.artist}`,
  )
  return ({ title, artist, durationMs }) => {
    if (title === undefined) return undefined
    const start = nameKey(sortText(title, null), new Uint8Array(16)).slice(0, -8)
    const wanted = plainText(title)
    const by = artist === undefined ? undefined : plainText(artist)
    const fitting = titled
      .all(Buffer.from(start, 'latin1'), Buffer.from(`${start.slice(0, -1)}\x01`, 'latin1'))
      .filter((row) => plainText(text(row.title)) === wanted)
      .filter((row) => {
        if (by === undefined) return durationMs !== undefined
        const names = [
          optional(text, row.artist) ?? '',
          ...artists.all(integer(row.id)).map(({ name }) => text(name)),
        ]
        return names.some((name) => name !== '' && (plainText(name) === by || by.includes(plainText(name))))
      })
      .map((row) => ({
        id: guidOf(bytes(row.guid)),
        off: durationMs === undefined ? 0 : Math.abs(integer(row.duration) - durationMs),
      }))
      .filter(({ off }) => by !== undefined || off <= tolerance)
      .sort((a, b) => a.off - b.off)
    return fitting[0]?.id
  }
}

/** How many of some tracks the viewer sees, and how long they take together; for each of several playlists. */
export function measure(
  db: DatabaseSync,
  ask: Ask,
  playlists: readonly (readonly Id[])[],
): { trackCount: number; durationMs: number }[] {
  const view = viewOf(db, ask)
  const read = db.prepare('SELECT duration, scope FROM track WHERE guid = ?')
  return playlists.map((ids) => {
    let trackCount = 0
    let durationMs = 0
    for (const id of ids) {
      const row = read.get(guidBytes(id))
      if (row === undefined || !sees(view, integer(row.scope))) continue
      trackCount += 1
      durationMs += integer(row.duration)
    }
    return { trackCount, durationMs }
  })
}
