import type { DatabaseSync } from 'node:sqlite'
import type {
  CatalogCounts,
  FolderContent,
  LibrarySummary,
  Page,
  ProblemSummary,
} from '../../../protocol/api/catalog.ts'
import { CodedError, type ErrorCode, errorCodes } from '../../../protocol/errors.ts'
import type { Library } from '../../../protocol/facts/catalog.ts'
import type { Id } from '../../../protocol/ids.ts'
import { integer, optional, text, written } from '../../../store/row.ts'
import { lists } from '../lists.ts'
import { genres } from './genres.ts'
import { tracksOf } from './rows.ts'
import { type Ask, cursorOf, positionOf, type View, viewOf } from './view.ts'
import { countOf } from './walk.ts'

/** The libraries that someone sees, with their figures. Paths are for administrators. */
export function libraries(db: DatabaseSync, ask: Ask): LibrarySummary[] {
  const view = viewOf(db, ask)
  const problems = db.prepare('SELECT count(*) AS count FROM problem WHERE library = ?')
  return db
    .prepare('SELECT fact FROM library WHERE fact IS NOT NULL ORDER BY id')
    .all()
    .map((row) => written<Library>(row.fact))
    .filter(({ id }) => view.libraries.has(id))
    .map((fact) => {
      const { tracks, albums } = totals(db, viewOf(db, { ...ask, library: fact.id }))
      const { path, node, visibleTo, ...shown } = fact
      const figures = { trackCount: tracks, albumCount: albums }
      if (!ask.administrator) return { ...shown, visibleTo: 'everyone', ...figures, problemCount: 0 }
      return {
        ...shown,
        path,
        node,
        visibleTo,
        ...figures,
        problemCount: integer(problems.get(fact.id)?.count),
      }
    })
}

export function counts(db: DatabaseSync, ask: Ask): CatalogCounts {
  const view = viewOf(db, ask)
  const { tracks, albums, duration, bytes } = totals(db, view)
  return {
    tracks,
    albums,
    artists: countOf(db, view, lists.albumArtistsByName),
    genres: genres(db, ask).length,
    durationMs: duration,
    bytes,
  }
}

function totals(db: DatabaseSync, view: View) {
  const row = db
    .prepare(
      `SELECT coalesce(sum(tracks), 0) AS tracks, coalesce(sum(albums), 0) AS albums,
         coalesce(sum(duration), 0) AS duration, coalesce(sum(bytes), 0) AS bytes
       FROM scope ${view.scopes === null ? '' : `WHERE id IN (${view.scopes.join(', ')})`}`,
    )
    .get()
  return {
    tracks: integer(row?.tracks),
    albums: integer(row?.albums),
    duration: integer(row?.duration),
    bytes: integer(row?.bytes),
  }
}

/** Folders and tracks of one folder that are shown. */
const mostInFolder = 2_000

/**
 * What lies directly in a folder. Paths stand in their order, so that each folder in it is one step: to its first file,
 * and then beyond its last.
 */
export function folder(db: DatabaseSync, ask: Ask, id: Id, path: string): FolderContent {
  const view = viewOf(db, ask)
  const row = view.libraries.get(id)
  if (row === undefined) throw new CodedError('NOT_FOUND', `library ${id}`)
  const next = db.prepare(
    'SELECT path, track FROM file WHERE library = ? AND path >= ? AND path < ? ORDER BY path LIMIT 1',
  )
  const prefix = path === '' ? '' : `${path}/`
  // '0' is the character after '/'; nothing is above the last code point.
  const end = path === '' ? '\u{10ffff}' : `${path}0`
  const folders: FolderContent['folders'] = []
  const tracks: number[] = []
  let from = prefix
  while (folders.length + tracks.length < mostInFolder) {
    const found = next.get(row, from, end)
    if (found === undefined) break
    const inside = text(found.path).slice(prefix.length)
    const slash = inside.indexOf('/')
    if (slash === -1) {
      tracks.push(integer(found.track))
      from = `${text(found.path)}\0`
    } else {
      const name = inside.slice(0, slash)
      folders.push({ name, path: prefix + name })
      from = `${prefix}${name}0`
    }
  }
  if (folders.length + tracks.length === 0 && path !== '') {
    throw new CodedError('NOT_FOUND', 'no music lies in this folder')
  }
  folders.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { library: id, path, folders, tracks: tracksOf(db, view, tracks) }
}

/** What is wrong in the music folders, by library and path. */
export function problems(
  db: DatabaseSync,
  { library: only, cursor, limit }: { library?: Id | undefined; cursor?: string | undefined; limit: number },
): Page<ProblemSummary> {
  const rows = db
    .prepare(
      `SELECT problem.*, library.fact FROM problem LEFT JOIN library ON library.guid = problem.library
       WHERE problem.key > ? ${only === undefined ? '' : 'AND problem.library = ?'} ORDER BY problem.key LIMIT ?`,
    )
    .all(cursor === undefined ? '' : positionOf(cursor), ...(only === undefined ? [] : [only]), limit + 1)
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => {
      const fact = optional(written<Library>, row.fact)
      const { title, help } = explanationOf(text(row.code))
      return {
        library: text(row.library),
        libraryName: fact?.name ?? '',
        path: text(row.path),
        code: text(row.code),
        detail: optional(text, row.detail),
        at: integer(row.at),
        title,
        help,
      }
    }),
    next: last === undefined ? undefined : cursorOf(text(last.key)),
  }
}

function explanationOf(code: string): { title: string; help: string } {
  return isErrorCode(code) ? errorCodes[code] : errorCodes.INTERNAL
}
function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code)
}

export function uploadedBytes(db: DatabaseSync, user: Id): number {
  const row = db
    .prepare(
      'SELECT coalesce(sum(track.size), 0) AS bytes FROM upload JOIN track ON track.id = upload.track WHERE upload.user = ?',
    )
    .get(user)
  return integer(row?.bytes)
}
