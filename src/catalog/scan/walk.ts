import {
  type Dirent,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import type { WalkEvent } from './messages.ts'
import { chooseCover, chooseLyrics, ignoreMarkers, isAudioName, isHiddenName, isLyricsName } from './names.ts'
import { comparePaths, pathBytes, pathText } from './path.ts'

/** A file as the catalog knows it. */
export interface KnownFile {
  readonly path: string
  readonly size: number
  readonly modifiedAt: number
  readonly lyricsFile: string | undefined
  readonly lyricsModifiedAt: number | undefined
  readonly coverFile: string | undefined
  readonly coverModifiedAt: number | undefined
}

/** The files that the catalog knows, in the order of `comparePaths`, one at a time. */
export interface KnownFiles {
  readonly current: KnownFile | undefined
  /** Goes on to the next file and answers it. */
  next(): KnownFile | undefined
  /** Goes on to the first file whose path is not before `path`. */
  seek(path: string): void
  /** Whether the folder has at least `count` known files in and below it. */
  hasAtLeast(folder: string, count: number): boolean
}

export interface WalkRequest {
  /** Absolute, in the text form of `path.ts`. */
  readonly root: string
  /** Folders to compare, relative to the root; `['']` is everything. None lies in another; in the order of paths. */
  readonly folders: readonly string[]
  /** Yields unchanged files too, and believes in folders that have become empty. */
  readonly full: boolean
  /** Counts a file that was met. */
  readonly seen: () => void
}

/** A folder that was full and is empty was probably the place where a disk should be mounted. */
const mountSize = 50
/** Linux opens no path of 4,096 bytes or more. */
const longestPath = 4_095

/**
 * Compares folders with what is known, in the order of paths, and yields the differences only. Uses synchronous calls,
 * which are several times quicker than their asynchronous kin: run it in a process of its own.
 */
export function* walk(request: WalkRequest, known: KnownFiles): Generator<WalkEvent> {
  const before = realFolder(request.root)
  if (!before) return yield { kind: 'problem', path: '', code: 'LIBRARY_GONE' }
  for (const folder of request.folders) {
    known.seek(folder === '' ? '' : `${folder}/`)
    yield* walkFolder(folder, { ...request, realRoot: before.path }, known)
    yield* vanishedBefore(known, folder === '' ? undefined : `${folder}0`)
  }
  const after = realFolder(request.root)
  if (after?.identity !== before.identity) yield { kind: 'problem', path: '', code: 'LIBRARY_GONE' }
}

interface Walk extends WalkRequest {
  readonly realRoot: string
}

function* walkFolder(folder: string, request: Walk, known: KnownFiles): Generator<WalkEvent> {
  const stack: Visit[] = []
  yield* enter(folder, { links: 0, ancestors: [] })
  for (let visit = stack.at(-1); visit; visit = stack.at(-1)) {
    const entry = visit.entries[visit.next++]
    if (!entry) stack.pop()
    else if (entry.kind === 'file') yield* compareFile(visit, entry, request, known)
    else if (!entry.linked) yield* enter(below(visit.path, entry.name), visit)
    else yield* followFolder(below(visit.path, entry.name), visit)
  }

  /** Opens the folder, and has it visited next. */
  function* enter(path: string, from: Pick<Visit, 'links' | 'ancestors'>): Generator<WalkEvent> {
    const entered = open(path, from, request)
    if (!('visit' in entered)) {
      if (entered.event) yield entered.event
      // What cannot be looked into is not gone: its files stay as they are known.
      if (entered.keep) yield* keepBelow(path)
      return
    }
    for (const event of entered.problems) yield event
    const unmounted = entered.visit.total === 0 && known.hasAtLeast(path, path === '' ? 1 : mountSize)
    if (!unmounted || request.full) return void stack.push(entered.visit)
    yield { kind: 'problem', path, code: 'LIBRARY_GONE' }
    yield* keepBelow(path)
  }

  function* followFolder(path: string, from: Visit): Generator<WalkEvent> {
    const real = realFolder(`${request.root}/${path}`)
    if (!real) return
    const circle = from.ancestors.includes(real.identity)
    if (circle || from.links > 0) return yield { kind: 'problem', path, code: 'LINK_CIRCLE' }
    yield* enter(path, { ...from, links: from.links + 1 })
  }

  function* keepBelow(path: string): Generator<WalkEvent> {
    const prefix = path === '' ? '' : `${path}/`
    yield* vanishedBefore(known, prefix)
    for (let file = known.current; file?.path.startsWith(prefix); file = known.next());
  }
}

function* compareFile(visit: Visit, entry: Entry, request: Walk, known: KnownFiles): Generator<WalkEvent> {
  const path = below(visit.path, entry.name)
  const absolute = `${request.root}/${path}`
  if (tooLong(absolute)) return yield { kind: 'problem', path, code: 'PATH_TOO_LONG' }
  const stat = tryStat(absolute, entry.linked)
  if (!stat?.isFile()) return
  request.seen()
  yield* vanishedBefore(known, path)
  const before = known.current?.path === path ? known.current : undefined
  if (before) known.next()
  const lyricsFile = visit.lyrics.size === 0 ? undefined : chooseLyrics(entry.name, visit.lyrics)
  // Unlike the picture, of which a folder has one, it is looked at for each file, where there is any.
  const lyricsModifiedAt =
    lyricsFile === undefined
      ? undefined
      : modifiedAtOf(`${request.root}/${below(visit.path, lyricsFile)}`, true)
  const { coverFile, coverModifiedAt } = visit
  const modifiedAt = wholeMs(stat.mtimeMs)
  const unchanged =
    before !== undefined &&
    before.size === stat.size &&
    before.modifiedAt === modifiedAt &&
    before.lyricsFile === lyricsFile &&
    before.lyricsModifiedAt === lyricsModifiedAt &&
    before.coverFile === coverFile &&
    before.coverModifiedAt === coverModifiedAt
  if (unchanged && !request.full) return
  const file = { kind: 'file', path, size: stat.size, modifiedAt, known: before !== undefined } as const
  yield {
    ...file,
    ...(lyricsFile === undefined ? {} : { lyricsFile }),
    ...(lyricsModifiedAt === undefined ? {} : { lyricsModifiedAt }),
    ...(coverFile === undefined ? {} : { coverFile }),
    ...(coverModifiedAt === undefined ? {} : { coverModifiedAt }),
  }
}

interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder'
  /** Whether it is a symbolic link. */
  readonly linked: boolean
}

interface Visit {
  readonly path: string
  readonly entries: readonly Entry[]
  next: number
  /** Everything in the folder, whatever it is. */
  readonly total: number
  readonly coverFile: string | undefined
  readonly coverModifiedAt: number | undefined
  /** Names of possible lyrics, by lower case. */
  readonly lyrics: ReadonlyMap<string, string>
  /** Device and inode of this folder and those above it. */
  readonly ancestors: readonly string[]
  /** How many links lead here: one is followed, but not from link to link, which could multiply without end. */
  readonly links: number
}

type Opened =
  | { readonly visit: Visit; readonly problems: readonly WalkEvent[] }
  | { readonly event: WalkEvent | undefined; readonly keep: boolean }

function open(path: string, from: Pick<Visit, 'links' | 'ancestors'>, request: Walk): Opened {
  const absolute = path === '' ? request.root : `${request.root}/${path}`
  if (tooLong(absolute)) return { event: { kind: 'problem', path, code: 'PATH_TOO_LONG' }, keep: false }
  try {
    const stat = statSync(pathBytes(absolute))
    if (!stat.isDirectory()) return { event: undefined, keep: false }
    const listed = list(absolute)
    const names = listed.map(({ name }) => name)
    if (ignoreMarkers.some((marker) => names.includes(marker))) return { event: undefined, keep: false }
    const problems: WalkEvent[] = []
    const entries = listed.flatMap((one) => entryOf(one, path, request, problems))
    const texts = names.filter(isLyricsName)
    const coverFile = chooseCover(
      listed.flatMap(({ name, entry }) => (entry.isFile() && !isHiddenName(name) ? [name] : [])),
    )
    const visit: Visit = {
      path,
      entries: entries.sort((one, other) => comparePaths(orderKey(one), orderKey(other))),
      next: 0,
      total: names.length,
      coverFile,
      coverModifiedAt: coverFile === undefined ? undefined : modifiedAtOf(`${absolute}/${coverFile}`, false),
      lyrics: new Map(texts.map((name) => [name.toLowerCase(), name])),
      ancestors: [...from.ancestors, identityOf(stat)],
      links: from.links,
    }
    return { visit, problems }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'ENOENT' || code === 'ENOTDIR') return { event: undefined, keep: false }
    return { event: { kind: 'problem', path, code: 'FILE_UNREADABLE', detail: code }, keep: true }
  }
}

function modifiedAtOf(absolute: string, follow: boolean): number | undefined {
  const stat = tryStat(absolute, follow)
  return stat?.isFile() ? wholeMs(stat.mtimeMs) : undefined
}

function wholeMs(mtimeMs: number): number {
  return Math.max(0, Math.trunc(mtimeMs))
}

interface Listed {
  readonly name: string
  readonly entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>
}

/** The folder's names as text; read again as bytes only where a name is not plain UTF-8, which is slower. */
function list(absolute: string): Listed[] {
  const plain = readdirSync(pathBytes(absolute), { withFileTypes: true })
  if (!plain.some(({ name }) => /[\ufffd\uf780-\uf7ff]/.test(name)))
    return plain.map((entry) => ({ name: entry.name, entry }))
  const exact = readdirSync(pathBytes(absolute), { withFileTypes: true, encoding: 'buffer' })
  return exact.map((entry) => ({ name: pathText(entry.name), entry }))
}

/** What is of interest; FIFOs, sockets and devices are not, and are never opened. */
function entryOf({ name, entry }: Listed, folder: string, request: Walk, problems: WalkEvent[]): Entry[] {
  if (isHiddenName(name)) return []
  if (entry.isDirectory()) return [{ name, kind: 'folder', linked: false }]
  if (entry.isFile()) return isAudioName(name) ? [{ name, kind: 'file', linked: false }] : []
  if (!entry.isSymbolicLink()) return []
  const path = below(folder, name)
  const absolute = `${request.root}/${path}`
  const stat = tryStat(absolute, true)
  if (stat?.isFile() && !isAudioName(name)) return []
  if (!stat || !isWithin(request.realRoot, realPath(absolute))) {
    problems.push({ kind: 'problem', path, code: 'LINK_OUTSIDE', detail: linkText(absolute) })
    return []
  }
  if (stat.isDirectory()) return [{ name, kind: 'folder', linked: true }]
  return stat.isFile() ? [{ name, kind: 'file', linked: true }] : []
}

/** What lies in a folder comes where its path with a slash does. */
function orderKey({ name, kind }: Entry): string {
  return kind === 'file' ? name : `${name}/`
}

function* vanishedBefore(known: KnownFiles, path: string | undefined): Generator<WalkEvent> {
  for (
    let file = known.current;
    file && (path === undefined || comparePaths(file.path, path) < 0);
    file = known.next()
  ) {
    yield { kind: 'vanished', path: file.path }
  }
}

function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

function tryStat(absolute: string, follow: boolean): Stats | undefined {
  try {
    const path = pathBytes(absolute)
    return follow ? statSync(path) : lstatSync(path)
  } catch {
    return undefined
  }
}

/** Where the folder really is, and what tells it from others. */
function realFolder(absolute: string): { path: string; identity: string } | undefined {
  const stat = tryStat(absolute, true)
  return stat?.isDirectory() ? { path: realPath(absolute), identity: identityOf(stat) } : undefined
}

function realPath(absolute: string): string {
  try {
    return pathText(realpathSync(pathBytes(absolute), { encoding: 'buffer' }))
  } catch {
    return ''
  }
}

function linkText(absolute: string): string {
  try {
    return pathText(readlinkSync(pathBytes(absolute), { encoding: 'buffer' })).slice(0, 1_000)
  } catch {
    return ''
  }
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)
}

function identityOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`
}

function tooLong(absolute: string): boolean {
  // No UTF-16 unit takes more than three bytes.
  return absolute.length * 3 > longestPath && Buffer.byteLength(pathBytes(absolute)) > longestPath
}
