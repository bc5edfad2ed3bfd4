import type { DatabaseSync } from 'node:sqlite'
import type { SearchQuery, SearchResult } from '../../../protocol/api/catalog.ts'
import { integer, optional, text } from '../../../store/row.ts'
import { type Key, keyBytes, sortText, textKey } from '../keys.ts'
import { lists } from '../lists.ts'
import { albumsOf, artistsOf, tracksOf } from '../queries/rows.ts'
import { type Ask, seen, type View, viewOf } from '../queries/view.ts'
import { type DocumentKind, itemOf, scopeTerm } from './documents.ts'
import { type Meant, similarTerms } from './similar.ts'
import { plainText, type QueryTerm, queryTerms, termsOf } from './words.ts'

/** Fewer finds than this, none of which is called as the query says, and typing errors are thought of. */
const few = 3
/** Matches that are looked at more closely, the most popular first; more come behind them, in that order. */
const closely = 64

/**
 * What fits the words of a query: each word, or the start of one, in the name or in what belongs to it (a track's
 * artist, album, genre). First come equal names, then names that begin with the query, then names with all its words,
 * then those with words elsewhere, and last those that would fit but for a small typing error. Among equals the most
 * played come first.
 */
export function search(db: DatabaseSync, ask: Ask, query: SearchQuery & Skipping): SearchResult {
  const { view, artists, albums, tracks } = findMatches(db, ask, query)
  return {
    artists: artistsOf(db, view, artists),
    albums: albumsOf(db, view, albums),
    tracks: tracksOf(db, view, tracks),
  }
}

/** The same as rows. */
export function findMatches(
  db: DatabaseSync,
  ask: Ask,
  query: SearchQuery & Skipping,
): {
  readonly view: View
  readonly artists: readonly number[]
  readonly albums: readonly number[]
  readonly tracks: readonly number[]
} {
  const view = viewOf(db, { ...ask, library: query.library })
  const wanted = openWanted(db, query.q)
  const { artists: artist = 0, albums: album = 0, tracks: track = 0 } = query.skip ?? {}
  const reach = (limit: number, skipped: number) => (limit === 0 ? 0 : skipped + limit)
  const limits = {
    artist: reach(query.artists, artist),
    album: reach(query.albums, album),
    track: reach(query.tracks, track),
  }
  const found = wanted.terms.length === 0 ? nothing : findAll(db, view, wanted, limits)
  return {
    view,
    artists: found.artist.slice(artist),
    albums: found.album.slice(album),
    tracks: found.track.slice(track),
  }
}

/** Of each kind, the best finds that have been shown before. */
export interface Skipping {
  readonly skip?: { readonly artists: number; readonly albums: number; readonly tracks: number }
}

type Finds = Readonly<Record<DocumentKind, readonly number[]>>
type Limits = Readonly<Record<DocumentKind, number>>
const nothing: Finds = { artist: [], album: [], track: [] }

interface Wanted {
  /** The query as one line of its words. */
  readonly plain: string
  readonly terms: readonly QueryTerm[]
  /** For each term: the words that fit it. */
  readonly words: readonly (readonly Meant[])[]
  /** What names equal to the query are sorted under. */
  readonly key: Key
}

function openWanted(db: DatabaseSync, q: string): Wanted {
  const terms = queryTerms(q)
  const short = q.slice(0, 200)
  return {
    plain: plainText(short),
    terms,
    words: terms.map((term) => wordsFor(db, term)),
    key: textKey(sortText(short, null)),
  }
}

/** Starts of words of up to this length have an index of their own in the FTS tables. */
const indexedStart = 3
const mostWords = 48

/**
 * The words that begin with a term. FTS5 would gather all matches of a longer start before it gives the first; of
 * words that are named one by one it gives them as it goes. Where they are too many, each is rare, and it may gather.
 */
function wordsFor(db: DatabaseSync, { term, prefix }: QueryTerm): readonly Meant[] {
  if (!prefix || [...term].length <= indexedStart) return [{ term, prefix }]
  const words = db
    .prepare('SELECT term FROM term WHERE term >= ? AND term < ? LIMIT ?')
    .all(term, `${term}\u{10ffff}`, mostWords + 1)
    .map((row) => ({ term: text(row.term), prefix: false }))
  return words.length > mostWords ? [{ term, prefix }] : words
}

function findAll(db: DatabaseSync, view: View, wanted: Wanted, limits: Limits): Finds {
  const names: Readonly<Record<DocumentKind, Names>> = {
    artist: openNames(db, view, 'artist', wanted),
    album: openNames(db, view, 'album', wanted),
    track: openNames(db, view, 'track', wanted),
  }
  const find = (words: Wanted['words'], found: Finds): Finds => {
    const some = (kind: DocumentKind) =>
      limits[kind] === 0 || words.some((each) => each.length === 0)
        ? found[kind]
        : [...new Set([...found[kind], ...findSome(db, view, kind, words, names[kind], limits[kind])])].slice(
            0,
            limits[kind],
          )
    return { artist: some('artist'), album: some('album'), track: some('track') }
  }
  const found = find(wanted.words, nothing)
  const isNamed = Object.values(names).some(({ equal }) => equal.length > 0)
  if (isNamed || count(found) >= few) return found
  // Words that nothing begins with are wrong for certain; only if all exist may each of them be meant for another.
  const unknown = wanted.words.map((words) => words.length === 0)
  const doubted = unknown.includes(true) ? unknown : wanted.words.map(() => true)
  const forgiving = wanted.terms.map(({ term }, at) => [
    ...(wanted.words[at] ?? []),
    ...(doubted[at] ? similarTerms(db, term) : []),
  ])
  return forgiving.every((words, at) => words.length === wanted.words[at]?.length)
    ? found
    : find(forgiving, found)
}

function count({ artist, album, track }: Finds): number {
  return artist.length + album.length + track.length
}

interface Kind {
  /** The column of the words of its own name. */
  readonly column: string
  readonly name: string
  readonly list: number
}
const kinds: Readonly<Record<DocumentKind, Kind>> = {
  artist: { column: 'name', name: 'name', list: lists.artistsByName },
  album: { column: 'name', name: 'name', list: lists.albumsByName },
  track: { column: 'title', name: 'title', list: lists.tracksByTitle },
}

function findSome(
  db: DatabaseSync,
  view: View,
  kind: DocumentKind,
  words: Wanted['words'],
  { look, equal }: Names,
  limit: number,
): number[] {
  const expression = words.map(matchOf).join(' AND ')
  // The genres of an album may be those of tracks that not everyone sees.
  const columns = kind === 'album' && view.scopes !== null ? '{name artist} : ' : ''
  const most = Math.max(closely, limit)
  const anywhere = match(db, view, kind, `${columns}(${expression})`, most)
  const named = ranked(look, [...new Set([...equal, ...byName()])])
  if (named.length >= limit) return named.slice(0, limit)
  return [...new Set([...named, ...ranked(look, anywhere)])].slice(0, limit)

  /** Those that fit by their own names; the most popular of them may be behind others that do not. */
  function byName(): readonly number[] {
    if (kind === 'artist') return anywhere
    // For few words of one column FTS5 goes through all that fit in any. Where they are all known, that is spared.
    if (anywhere.length >= closely)
      return match(db, view, kind, `${kinds[kind].column} : (${expression})`, most)
    const names = look(anywhere)
    return anywhere.filter((id) => fits(words, names.get(id)?.words))
  }
}

/** Whether each word of a query, or one of its alternatives, is among these. */
function fits(wanted: Wanted['words'], words: ReadonlySet<string> | undefined): boolean {
  const own = [...(words ?? [])]
  return wanted.every((alternatives) =>
    alternatives.some(({ term, prefix }) =>
      prefix ? own.some((word) => word.startsWith(term)) : words?.has(term),
    ),
  )
}

/** A term, or any of its alternatives, as FTS5 writes it. Terms are letters and digits, so quotes hold them. */
function matchOf(alternatives: readonly Meant[]): string {
  return `(${alternatives.map(({ term, prefix }) => `"${term}"${prefix ? ' *' : ''}`).join(' OR ')})`
}

/** The most popular items that match; FTS5 meets them in that order, and stops. */
function match(
  db: DatabaseSync,
  view: View,
  kind: DocumentKind,
  expression: string,
  limit: number,
): number[] {
  if (view.scopes?.length === 0) return []
  const visible = view.scopes?.map((scope) => `"${scopeTerm(scope)}"`).join(' OR ')
  const table = `${kind}_search`
  return db
    .prepare(`SELECT rowid AS document FROM ${table} WHERE ${table} MATCH ? ORDER BY rowid LIMIT ?`)
    .all(visible === undefined ? expression : `(${expression}) AND (${visible})`, Math.max(closely, limit))
    .map((row) => itemOf(integer(row.document)))
}

/** Items that are called as the query says, as far as their names are sorted alike. */
function equals(db: DatabaseSync, view: View, kind: DocumentKind, { key }: Wanted): number[] {
  return db
    .prepare(`SELECT item FROM entry WHERE list = ? AND key >= ? AND key < ? ${seen(view, 'scope')} LIMIT ?`)
    .all(kinds[kind].list, keyBytes(`${key}\0`), keyBytes(`${key}\x01`), few * 10)
    .map((row) => integer(row.item))
}

/** What is known of the names of a kind of items while a question is answered. */
interface Names {
  readonly look: Look
  /** Items that are called as the query says, as far as their names are sorted alike. */
  readonly equal: readonly number[]
}

/** Looks names up by their items; those that have been looked up before are not read again. */
type Look = (items: readonly number[]) => ReadonlyMap<number, Name>

interface Name {
  readonly words: ReadonlySet<string>
  readonly score: number
}

function openNames(db: DatabaseSync, view: View, kind: DocumentKind, wanted: Wanted): Names {
  const read = db.prepare(
    `SELECT wanted.value AS id, ${kinds[kind].name} AS name, sort FROM json_each(?) AS wanted
     CROSS JOIN ${kind} ON ${kind}.id = wanted.value`,
  )
  const known = new Map<number, Name>()
  return {
    equal: equals(db, view, kind, wanted),
    look(items) {
      const unknown = items.filter((item) => !known.has(item))
      if (unknown.length > 0) {
        for (const row of read.all(JSON.stringify(unknown))) {
          const [name, sort] = [text(row.name), optional(text, row.sort)]
          const words = new Set([...termsOf(name), ...(sort === undefined ? [] : termsOf(sort))])
          known.set(integer(row.id), { words, score: scoreOf(wanted, words, name, sort) })
        }
      }
      return known
    },
  }
}

/**
 * Items with the best names first; they come in the order of their popularity, which stays among equals, and among
 * those behind the first.
 */
function ranked(look: Look, items: readonly number[]): number[] {
  const first = items.slice(0, closely)
  const names = look(first)
  const score = (item: number) => names.get(item)?.score ?? 0
  return first.toSorted((a, b) => score(b) - score(a)).concat(items.slice(closely))
}

/** How well a name fits: 1,000 for an equal one, less the further it is from that. */
function scoreOf(
  { plain, terms, key }: Wanted,
  words: ReadonlySet<string>,
  name: string,
  sort: string | undefined,
): number {
  const own = plainText(name)
  if (own === plain || (sort !== undefined && plainText(sort) === plain)) return 1_000
  if (textKey(sortText(name, null)) === key) return 950
  if (own.startsWith(`${plain} `)) return 900
  const starts = own.startsWith(plain) ? 50 : 0
  const whole = terms.filter(({ term }) => words.has(term)).length
  const begun = terms.filter(
    ({ term, prefix }) => prefix && [...words].some((word) => word.startsWith(term)),
  ).length
  return (600 * whole + 300 * Math.max(0, begun - whole)) / terms.length + starts
}
