import { z } from 'zod'
import { ignoredArticles } from '../../catalog/index/keys.ts'
import { goneSignalOf } from '../signal.ts'
import { type Content, type Flow, type Written, written } from './content.ts'
import { type Asking, endpoint, type Parts } from './endpoint.ts'
import { inFolders, musicFolders } from './library.ts'
import { nobodyOf } from './nobody.ts'
import { optional, wholeNumber } from './parameters.ts'
import { evenIfReplaced } from './written.ts'

/** Artists that are asked of the catalog at once, and held at once. */
const atOnce = 500

/** Artists in the order of their names, as many as belong together under one letter and were read together. */
type Run = readonly [letter: string, artists: Written]

interface Reading {
  readonly parts: Parts
  readonly asking: Asking
  readonly folders: boolean
}

/** Everybody with an album, under the first letter of the name, articles aside. It is read as it is sent. */
async function indexOf(parts: Parts, { reply, ...asked }: Asking, folders: boolean): Promise<Flow> {
  const asking = { ...asked, reply, signal: goneSignalOf(reply) }
  const reading = { parts, asking, folders }
  const letters = await parts.catalog.letters(asking.viewer, 'artists', undefined, asked.signal)
  const odd = letters.filter(({ letter }) => letter === noLetter)
  return index(reading, odd, await nobodyOf(parts, asking, folders))
}

/** What begins with no letter stands in several places in the order of names, and under one heading here. */
const noLetter = '#'
type Places = readonly { readonly offset: number; readonly count: number }[]

async function* index(reading: Reading, odd: Places, nobody: Content | undefined): Flow {
  if (odd.length > 0 || nobody !== undefined) {
    yield [{ name: noLetter, artist: oddOnes(reading, odd, nobody) }]
  }
  const runs = runsOf(reading, {})
  let next = await runs.next()
  while (!next.done) {
    const [letter] = next.value
    if (letter === noLetter) {
      next = await runs.next()
      continue
    }
    async function* artists(): Flow {
      while (!next.done && next.value[0] === letter) {
        yield next.value[1]
        next = await runs.next()
      }
    }
    yield [{ name: letter, artist: artists() }]
  }
}

async function* oddOnes(reading: Reading, odd: Places, nobody: Content | undefined): Flow {
  for (const { offset, count } of odd) {
    for await (const [letter, artists] of runsOf(reading, { offset, count })) {
      if (letter === noLetter) yield artists
    }
  }
  if (nobody !== undefined) yield [nobody]
}

async function* runsOf(
  { parts: { listing }, asking: { viewer, form, signal }, folders }: Reading,
  { offset = 0, count = Number.POSITIVE_INFINITY }: { offset?: number; count?: number },
): AsyncGenerator<Run> {
  const manner = { form, element: 'artist', folders }
  let cursor: string | undefined
  for (let left = count; left > 0; ) {
    const limit = Math.min(atOnce, left)
    const start = cursor === undefined ? { offset } : { cursor }
    const query = { role: 'albumArtist', order: 'name', limit, ...start } as const
    const page = await evenIfReplaced(() => listing.artistRuns(viewer, query, manner, signal))
    for (const [letter, artists] of page.runs) yield [letter, written(artists)]
    left -= page.count
    cursor = page.next
    if (cursor === undefined || page.count === 0) return
  }
}

export const getArtists = endpoint(
  z.object({ musicFolderId: musicFolders }),
  async (parts, asking, { musicFolderId }) => {
    const index = await indexOf(parts, await inFolders(parts.catalog, asking, musicFolderId), false)
    return { artists: { ignoredArticles, lastModified: parts.lastModified.at, index } }
  },
)

/** The same for clients that browse by folders; those that have seen it since it last changed get no artists. */
export const getIndexes = endpoint(
  z.object({ musicFolderId: musicFolders, ifModifiedSince: optional(wholeNumber(0)) }),
  async (parts, asking, { musicFolderId, ifModifiedSince = 0 }) => {
    const within = await inFolders(parts.catalog, asking, musicFolderId)
    const lastModified = parts.lastModified.at
    if (ifModifiedSince >= lastModified) return { indexes: { ignoredArticles, lastModified, index: [] } }
    const index = await indexOf(parts, within, true)
    return { indexes: { ignoredArticles, lastModified, index } }
  },
)
