import { CodedError } from '../protocol/errors.ts'

/** A track as a playlist file names it. */
export interface Line {
  readonly path: string
  readonly title?: string | undefined
  readonly artist?: string | undefined
  readonly durationMs?: number | undefined
}

/** A line of a file that was read, with its place in it. */
export interface ReadLine extends Line {
  /** Counted from 1. */
  readonly line: number
  readonly text: string
}

const mostCharacters = 8 * 1_048_576
const mostLines = 20_000
const longestLine = 8_192

/** Extended M3U, in UTF-8: what every player reads. */
export function writeM3u(name: string, lines: readonly Line[]): string {
  const entries = lines.flatMap(({ path, title, artist, durationMs }) => [
    `#EXTINF:${durationMs === undefined ? -1 : Math.round(durationMs / 1_000)},${inOneLine(artist ? `${artist} - ${title ?? ''}` : (title ?? ''))}`,
    // A name may begin with what would make its line a remark.
    inOneLine(path.startsWith('#') ? `./${path}` : path),
  ])
  return ['#EXTM3U', `#PLAYLIST:${inOneLine(name)}`, ...entries, ''].join('\n')
}

/**
 * The tracks that a playlist file names, M3U or extended M3U. Whatever else it is, it is a list of lines: of those that
 * are no paths one learns when nothing is found for them. TOO_LARGE beyond 20,000 tracks or 8 MiB.
 */
export function readM3u(text: string): { name: string | undefined; lines: ReadLine[] } {
  if (text.length > mostCharacters) throw new CodedError('TOO_LARGE', 'a playlist file may have 8 MiB')
  let name: string | undefined
  let about: Omit<Line, 'path'> = {}
  const lines: ReadLine[] = []
  for (const [at, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.slice(0, longestLine).replaceAll('\0', '').trim()
    if (line.startsWith('#EXTINF:')) about = readInfo(line)
    else if (line.startsWith('#PLAYLIST:')) name ??= line.slice('#PLAYLIST:'.length).trim() || undefined
    if (line === '' || line.startsWith('#')) continue
    if (lines.length === mostLines) throw new CodedError('TOO_LARGE', `a playlist holds ${mostLines} tracks`)
    lines.push({ line: at + 1, text: line, path: pathOf(line), ...about })
    about = {}
  }
  return { name, lines }
}

/** `#EXTINF:<seconds>[ attributes],<artist> - <title>` */
function readInfo(line: string): Omit<Line, 'path'> {
  const comma = line.indexOf(',')
  if (comma === -1) return {}
  const seconds = Number.parseFloat(line.slice('#EXTINF:'.length, comma))
  const named = line.slice(comma + 1).trim()
  const dash = named.indexOf(' - ')
  return {
    ...(seconds > 0 ? { durationMs: seconds * 1_000 } : {}),
    ...(dash === -1 ? {} : { artist: named.slice(0, dash).trim() }),
    ...(named === '' ? {} : { title: dash === -1 ? named : named.slice(dash + 3).trim() }),
  }
}

/** A path as it stands, or that of a `file:` address. */
function pathOf(line: string): string {
  if (!/^file:/i.test(line)) return line
  try {
    return decodeURIComponent(line.replace(/^file:(\/\/[^/]*)?/i, ''))
  } catch {
    return line
  }
}

function inOneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}
