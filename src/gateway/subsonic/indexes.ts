import { z } from 'zod'
import { ignoredArticles, sortText } from '../../catalog/index/keys.ts'
import { letterOf } from '../../catalog/index/queries/letters.ts'
import type { ArtistSummary } from '../../protocol/api/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import { goneSignalOf } from '../signal.ts'
import { artistFolderOf, artistsOf } from './artist.ts'
import type { Content, Flow } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { libraryOf } from './library.ts'
import { optional, text, wholeNumber } from './parameters.ts'

/** Artists that are asked of the catalog at once, and held at once. */
const atOnce = 500

/** Artists in the order of their names, as many as belong together under one letter and were read together. */
type Run = readonly [letter: string, artists: readonly Content[]]

interface Reading {
  readonly parts: Parts
  readonly asking: Asking
  readonly library: Id | undefined
  readonly write: (artists: readonly ArtistSummary[]) => readonly Content[] | Promise<readonly Content[]>
}

/** Everybody with an album, under the first letter of the name, articles aside. It is read as it is sent. */
async function indexOf(
  parts: Parts,
  { reply, ...asked }: Asking,
  library: Id | undefined,
  write: (asking: Asking) => Reading['write'],
): Promise<Flow> {
  const asking = { ...asked, reply, signal: goneSignalOf(reply) }
  const reading = { parts, asking, library, write: write(asking) }
  const letters = await parts.catalog.letters(asking.viewer, 'artists', library, asked.signal)
  const odd = letters.filter(({ letter }) => letter === noLetter)
  return index(reading, odd)
}

/** What begins with no letter stands in several places in the order of names, and under one heading here. */
const noLetter = '#'

async function* index(reading: Reading, odd: readonly { offset: number; count: number }[]): Artists {
  if (odd.length > 0) yield [{ name: noLetter, artist: oddOnes(reading, odd) }]
  const runs = runsOf(reading, {})
  let next = await runs.next()
  while (!next.done) {
    const [letter] = next.value
    if (letter === noLetter) {
      next = await runs.next()
      continue
    }
    async function* artists(): Artists {
      while (!next.done && next.value[0] === letter) {
        yield next.value[1]
        next = await runs.next()
      }
    }
    yield [{ name: letter, artist: artists() }]
  }
}

type Artists = AsyncGenerator<readonly Content[]>

async function* oddOnes(reading: Reading, odd: readonly { offset: number; count: number }[]): Artists {
  for (const { offset, count } of odd) {
    for await (const [letter, artists] of runsOf(reading, { offset, count })) {
      if (letter === noLetter) yield artists
    }
  }
}

async function* runsOf(
  { parts: { catalog }, asking: { viewer, signal }, library, write }: Reading,
  { offset = 0, count = Number.POSITIVE_INFINITY }: { offset?: number; count?: number },
): AsyncGenerator<Run> {
  let cursor: string | undefined
  for (let left = count; left > 0; ) {
    const limit = Math.min(atOnce, left)
    const start = cursor === undefined ? { offset } : { cursor }
    const query = { role: 'albumArtist', order: 'name', library, limit, ...start } as const
    const { items, next } = await catalog.artists(viewer, query, signal)
    const written = await write(items)
    let from = 0
    for (const [at, artist] of items.entries()) {
      const letter = letterOfArtist(artist)
      const following = items[at + 1]
      if (following !== undefined && letterOfArtist(following) === letter) continue
      yield [letter, written.slice(from, at + 1)]
      from = at + 1
    }
    left -= items.length
    cursor = next
    if (cursor === undefined || items.length === 0) return
  }
}

function letterOfArtist({ name, sortName }: ArtistSummary): string {
  return letterOf(sortText(name, sortName))
}

export const getArtists = endpoint(
  z.object({ musicFolderId: optional(text) }),
  async (parts, asking, { musicFolderId }) => {
    const library = await libraryOf(parts.catalog, asking.viewer, musicFolderId, asking.signal)
    const index = await indexOf(
      parts,
      asking,
      library,
      (streaming) => (artists) => artistsOf(parts, streaming, artists),
    )
    return { artists: { ignoredArticles, lastModified: parts.lastModified.at, index } }
  },
)

/** The same for clients that browse by folders; those that have seen it since it last changed get no artists. */
export const getIndexes = endpoint(
  z.object({ musicFolderId: optional(text), ifModifiedSince: optional(wholeNumber(0)) }),
  async (parts, asking, { musicFolderId, ifModifiedSince = 0 }) => {
    const library = await libraryOf(parts.catalog, asking.viewer, musicFolderId, asking.signal)
    const lastModified = parts.lastModified.at
    if (ifModifiedSince >= lastModified) return { indexes: { ignoredArticles, lastModified, index: [] } }
    const write = () => (artists: readonly ArtistSummary[]) => artists.map(artistFolderOf)
    const index = await indexOf(parts, asking, library, write)
    return { indexes: { ignoredArticles, lastModified, index } }
  },
)
