import type { DatabaseSync } from 'node:sqlite'
import { sortText } from '../../catalog/index/keys.ts'
import { openAlbumDetails } from '../../catalog/index/queries/album-details.ts'
import { countOfNobody, findAlbums } from '../../catalog/index/queries/albums.ts'
import { type ArtistDetails, openArtistDetails } from '../../catalog/index/queries/artist-details.ts'
import { findArtists } from '../../catalog/index/queries/artists.ts'
import { rowsOfAlbum, rowsOfArtist, rowsOfIds } from '../../catalog/index/queries/items.ts'
import { letterOf } from '../../catalog/index/queries/letters.ts'
import { openTrackDetails } from '../../catalog/index/queries/track-details.ts'
import { findTracks } from '../../catalog/index/queries/tracks.ts'
import { type Ask, type View, viewOf } from '../../catalog/index/queries/view.ts'
import type { Found } from '../../catalog/index/queries/walk.ts'
import { findMatches, type Skipping } from '../../catalog/index/search/search.ts'
import { nobody } from '../../catalog/nobody.ts'
import { idOfIndex } from '../../index/file.ts'
import { bookmarkPositions } from '../../listening/queries.ts'
import type { KnownEpisode } from '../../podcasts/podcasts.ts'
import {
  findChannel,
  findChannels,
  findEpisode,
  findEpisodes,
  findNewestEpisodes,
} from '../../podcasts/queries.ts'
import type { AlbumQuery, ArtistQuery, SearchQuery, TrackQuery } from '../../protocol/api/catalog.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { album, albumFolder } from './album.ts'
import { artist, artistChild, artistFolder } from './artist.ts'
import { openBytes } from './bytes.ts'
import type { Content } from './content.ts'
import { channel, episode, type ShownEpisode } from './episode.ts'
import { scriptOf } from './script.ts'
import type { Shape } from './shape.ts'
import { nameless, type Song, song } from './song.ts'

/**
 * Songs, albums and artists as the text of the answer. They are asked for by the hundred, so they are made where they
 * are read, in the index's reader thread: to hand over the items would take longer than to write them, and the main
 * thread has audio to serve.
 */

export type Form = 'xml' | 'json' | 'jsonp'

/** How to write a list. */
export interface Manner {
  readonly form: Form
  /** What each item is called in XML. */
  readonly element: string
  /** As folders are shown to clients that know nothing else. */
  readonly folders?: boolean
}

/**
 * Items as text, in pieces of many of them, and in none where there are no items: in XML one element after another; in
 * JSON with commas between those of a piece, and neither commas between pieces nor brackets around.
 */
export type Text = readonly Uint8Array[]

/** A page of a list. */
export interface Listed {
  readonly text: Text
  readonly count: number
  readonly next: string | undefined
}

/** A page of a list as rows of the index, which `ofRows` writes. */
export interface Rows {
  readonly rows: readonly number[]
  readonly next: string | undefined
  /** Of which index they are rows. */
  readonly index: string
}

export type ListQuery =
  | { readonly kind: 'song'; readonly query: TrackQuery }
  | { readonly kind: 'album'; readonly query: AlbumQuery }
  | { readonly kind: 'artist'; readonly query: ArtistQuery }

export function list(db: DatabaseSync, ask: Ask, asked: ListQuery, manner: Manner): Listed {
  const view = viewOf(db, { ...ask, library: asked.query.library })
  const { items, next } = find(db, view, asked)
  return { text: textOf(db, view, asked.kind, items, manner), count: items.length, next }
}

export function rows(db: DatabaseSync, ask: Ask, asked: ListQuery): Rows {
  const { items, next } = find(db, viewOf(db, { ...ask, library: asked.query.library }), asked)
  return { rows: items, next, index: idOfIndex(db) }
}

/** Some of the rows that `rows` has found, moments ago: what has gone since is left out. */
export function ofRows(
  db: DatabaseSync,
  ask: Ask,
  kind: ListQuery['kind'],
  { rows, index }: Pick<Rows, 'rows' | 'index'>,
  manner: Manner,
): Text {
  // Rows of an index that has been replaced meanwhile would be those of something else.
  if (index !== idOfIndex(db)) throw new CodedError('BEHIND', 'the index has been replaced')
  return textOf(db, viewOf(db, ask), kind, rows, manner)
}

function find(db: DatabaseSync, view: View, { kind, query }: ListQuery): Found {
  if (kind === 'song') return findTracks(db, view, query)
  return kind === 'album' ? findAlbums(db, view, query) : findArtists(db, view, query)
}

function textOf(
  db: DatabaseSync,
  view: View,
  kind: ListQuery['kind'],
  rows: readonly number[],
  manner: Manner,
): Text {
  if (kind === 'song') return songText(db, view, rows, manner)
  return (kind === 'album' ? albumText : artistText)(db, view, rows, manner)
}

/** These, in this order, as far as the viewer sees them. */
export function songs(db: DatabaseSync, ask: Ask, ids: readonly Id[], manner: Manner): Text {
  return songText(db, viewOf(db, ask), rowsOfIds(db, 'track', ids), manner)
}

export function artists(db: DatabaseSync, ask: Ask, ids: readonly Id[], manner: Manner): Text {
  return artistText(db, viewOf(db, ask), rowsOfIds(db, 'artist', ids), manner)
}

/** Songs that something is to be added to; null for those that the viewer does not see. */
export function songContents(db: DatabaseSync, ask: Ask, ids: readonly Id[]): (Content | null)[] {
  const found = openSongs(db, viewOf(db, ask))(rowsOfIds(db, 'track', ids))
  const contents = new Map(found.map((track) => [track.id, song.content(track)]))
  return ids.map((id) => contents.get(id) ?? null)
}

/** An album and its songs; undefined where the viewer does not see it. */
export function wholeAlbum(
  db: DatabaseSync,
  ask: Ask,
  id: Id,
  manner: Manner,
): { readonly content: Content; readonly songs: Text } | undefined {
  const view = viewOf(db, ask)
  const rows = rowsOfIds(db, 'album', [id])
  const [found] = openAlbumDetails(db, view)(rows)
  const [row] = rows
  if (found === undefined || row === undefined) return undefined
  const { content } = manner.folders ? albumFolder : album
  return { content: content(found), songs: songText(db, view, rowsOfAlbum(db, view, row), manner) }
}

/** An artist and their albums, those on which they are only heard behind their own. */
export function wholeArtist(
  db: DatabaseSync,
  ask: Ask,
  id: Id,
  manner: Manner,
): { readonly content: Content; readonly playCount: number; readonly albums: Text } | undefined {
  const view = viewOf(db, ask)
  const rows = rowsOfIds(db, 'artist', [id])
  const [found] = openArtistDetails(db, view)(rows)
  const [row] = rows
  if (found === undefined || row === undefined) return undefined
  const { own, others } = rowsOfArtist(db, view, row)
  const { playCount } = found.mark
  return manner.folders
    ? { content: artistFolder.content(found), playCount, albums: albumText(db, view, own, manner) }
    : { content: artist.content(found), playCount, albums: albumText(db, view, [...own, ...others], manner) }
}

/** What fits some words. */
export function matches(
  db: DatabaseSync,
  ask: Ask,
  query: SearchQuery & Skipping,
  { form, folders = false }: Omit<Manner, 'element'>,
): { readonly artists: Text; readonly albums: Text; readonly songs: Text } {
  const { view, artists, albums, tracks } = findMatches(db, ask, query)
  return {
    artists: artistText(db, view, artists, { form, folders, element: 'artist' }),
    albums: albumText(db, view, albums, { form, folders, element: 'album' }),
    songs: songText(db, view, tracks, { form, element: 'song' }),
  }
}

/** A page of artists in the order of their names, in runs that stand under one letter. */
export interface Runs {
  readonly runs: readonly (readonly [letter: string, artists: Text])[]
  readonly count: number
  readonly next: string | undefined
}

export function artistRuns(db: DatabaseSync, ask: Ask, query: ArtistQuery, manner: Manner): Runs {
  const view = viewOf(db, { ...ask, library: query.library })
  const { items, next } = findArtists(db, view, query)
  const runs: [string, ArtistDetails[]][] = []
  for (const each of openArtistDetails(db, view)(items)) {
    const letter = letterOf(sortText(each.name, each.sortName))
    const last = runs.at(-1)
    if (last?.[0] === letter) last[1].push(each)
    else runs.push([letter, [each]])
  }
  const of = manner.folders ? artistFolder : artist
  const texts = runs.map(([letter, those]) => {
    const text = openText<ArtistDetails>(of, those.length, manner)
    text.add(those)
    return [letter, text.end()] as const
  })
  return { runs: texts, count: items.length, next }
}

/** A page of artists as what lies in the music folder `parent`. */
export function artistChildren(
  db: DatabaseSync,
  ask: Ask,
  query: ArtistQuery,
  parent: string,
  manner: Manner,
): Listed {
  const view = viewOf(db, { ...ask, library: query.library })
  const { items, next } = findArtists(db, view, query)
  const read = openArtistDetails(db, view)
  const children = (rows: readonly number[]) => read(rows).map((each) => ({ ...each, parent }))
  return { text: textOfRows(artistChild, items, children, manner), count: items.length, next }
}

/** Who stands for nobody among artists; undefined where the viewer sees no album of nobody. */
export function artistOfNobody(db: DatabaseSync, ask: Ask): ArtistDetails | undefined {
  const albumCount = countOfNobody(db, viewOf(db, ask))
  if (albumCount === 0) return undefined
  return {
    id: nobody,
    name: nameless.artist,
    sortName: nameless.artist,
    albumCount,
    musicBrainzId: undefined,
    averageRating: undefined,
    roles: ['albumartist', 'artist'],
    mark: { starredAt: undefined, rating: undefined, playCount: 0, playedAt: undefined },
  }
}

/** The channels of podcasts, by their titles. */
export function podcasts(db: DatabaseSync): Id[] {
  return findChannels(db).map(({ id }) => id)
}

/** A channel, with its episodes where they are asked for; none where it is gone. */
export function podcast(db: DatabaseSync, ask: Ask, id: Id, includeEpisodes: boolean, manner: Manner): Text {
  const found = findChannel(db, id)
  if (found === null) return []
  const episodes = includeEpisodes ? marked(db, ask.user, findEpisodes(db, found)) : undefined
  const text = openText(channel, 1 + (episodes?.length ?? 0), manner)
  text.add([{ ...found, episodes }])
  return text.end()
}

/** These episodes, in this order, as far as they are there. */
export function episodes(db: DatabaseSync, ask: Ask, ids: readonly Id[], manner: Manner): Text {
  const found = ids.flatMap((id) => findEpisode(db, id) ?? [])
  return episodeText(db, ask, found, manner)
}

export function episodeContent(db: DatabaseSync, ask: Ask, id: Id): Content | null {
  const [found] = marked(
    db,
    ask.user,
    [findEpisode(db, id)].filter((each) => each !== null),
  )
  return found === undefined ? null : episode.content(found)
}

export function newestEpisodes(db: DatabaseSync, ask: Ask, count: number, manner: Manner): Text {
  return episodeText(db, ask, findNewestEpisodes(db, count), manner)
}

function episodeText(db: DatabaseSync, { user }: Ask, found: readonly KnownEpisode[], manner: Manner): Text {
  const text = openText<ShownEpisode>(episode, found.length, manner)
  text.add(marked(db, user, found))
  return text.end()
}

function songText(db: DatabaseSync, view: View, rows: readonly number[], manner: Manner): Text {
  return textOfRows(song, rows, openSongs(db, view), manner)
}

/** Answers the function that reads the songs of some rows. */
function openSongs(db: DatabaseSync, view: View): (rows: readonly number[]) => readonly Song[] {
  const read = openTrackDetails(db, view)
  const mark = openBookmarks<Song>(db, view.user)
  return (rows) => mark(read(rows))
}

function marked(db: DatabaseSync, user: Id, found: readonly KnownEpisode[]): readonly ShownEpisode[] {
  return openBookmarks<ShownEpisode>(db, user)(found)
}

/** Answers the function that says where the listener goes on in things. They are few, so that most stay as they are. */
function openBookmarks<Item extends { readonly id: Id; readonly bookmarkPosition?: number | undefined }>(
  db: DatabaseSync,
  user: Id,
): (items: readonly Item[]) => readonly Item[] {
  const positions = bookmarkPositions(db, user)
  if (positions.size === 0) return (items) => items
  return (items) =>
    items.map((item) => {
      const bookmarkPosition = positions.get(item.id)
      return bookmarkPosition === undefined ? item : { ...item, bookmarkPosition }
    })
}

function albumText(db: DatabaseSync, view: View, rows: readonly number[], manner: Manner): Text {
  return textOfRows(manner.folders ? albumFolder : album, rows, openAlbumDetails(db, view), manner)
}

function artistText(db: DatabaseSync, view: View, rows: readonly number[], manner: Manner): Text {
  return textOfRows(manner.folders ? artistFolder : artist, rows, openArtistDetails(db, view), manner)
}

/**
 * Items that are read and written together. What they leave behind is gone with the next ones: of hundreds at once, the
 * collector of this thread's small heap would move most, several times, and that took a third of a page.
 */
const together = 50

function textOfRows<Item>(
  of: Shape<Item>,
  rows: readonly number[],
  read: (rows: readonly number[]) => readonly Item[],
  manner: Manner,
): Text {
  const text = openText(of, rows.length, manner)
  for (let at = 0; at < rows.length; at += together) text.add(read(rows.slice(at, at + together)))
  return text.end()
}

/** What most items take of an answer. */
const bytesOfItem = 1_280

/** Gathers some `count` items as one piece of text, or as none. */
function openText<Item>(of: Shape<Item>, count: number, { form, element }: Manner) {
  const text = openBytes(count * bytesOfItem)
  const write = form === 'xml' ? of.openXml(element) : of.openJson()
  let some = false
  return {
    add(items: readonly Item[]): void {
      for (const item of items) {
        const written = some && form !== 'xml' ? `,${write(item)}` : write(item)
        text.add(form === 'jsonp' ? scriptOf(written) : written)
        some = true
      }
    },
    end: (): Text => (some ? [text.end()] : []),
  }
}
