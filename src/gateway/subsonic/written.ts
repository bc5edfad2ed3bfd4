import { isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import { type Flow, type Value, written } from './content.ts'
import type { Asking, Parts } from './endpoint.ts'
import type { Listed, ListQuery, Manner, Text } from './listing.ts'

/** Lists that the reader thread writes, as content. */

type Named = readonly { readonly id: Id }[]
type Who = Pick<Asking, 'viewer' | 'form' | 'signal'>
type With = Pick<Parts, 'listing'>

/** So many items are written by two threads, a half each: of fewer, to ask twice costs more than it gains. */
const worthTwo = 100

/** A page of a list. */
export function pageOf(
  { listing, halves }: Pick<Parts, 'listing' | 'halves'>,
  { viewer, form, signal }: Who,
  asked: ListQuery,
  { element, folders = false }: Omit<Manner, 'form'>,
): Promise<Listed> {
  const manner = { form, element, folders }
  const { library, limit } = asked.query
  const write = (reader: Parts['listing'], rows: readonly number[], index: string) =>
    reader.ofRows({ ...viewer, library }, asked.kind, { rows, index }, manner, signal)

  async function inHalves(): Promise<Listed> {
    const { rows, next, index } = await listing.rows(viewer, asked, signal)
    const middle = Math.ceil(rows.length / 2)
    const texts = await Promise.all(
      rows.length < worthTwo
        ? [write(listing, rows, index)]
        : [write(halves, rows.slice(0, middle), index), write(halves, rows.slice(middle), index)],
    )
    return { text: texts.flat(), count: rows.length, next }
  }
  return evenIfReplaced(limit < worthTwo ? () => listing.list(viewer, asked, manner, signal) : inHalves)
}

/**
 * Asks again where the index has been replaced meanwhile: the new one is there, cursors hold in it, and in the midst of
 * a long answer nothing else could be said.
 */
export async function evenIfReplaced<Found>(ask: () => Promise<Found>): Promise<Found> {
  try {
    return await ask()
  } catch (error) {
    // Its rows are those of the former index, or the thread that read that one has been ended.
    if (isCoded(error, 'BEHIND') || isCoded(error, 'UNREACHABLE')) return ask()
    throw error
  }
}

/** These songs, as far as the asker sees them. */
export function songsOf(parts: With, asking: Who, items: Named, element = 'song'): Promise<Value> {
  return inPieces(items, (ids) =>
    parts.listing.songs(asking.viewer, ids, { form: asking.form, element }, asking.signal),
  )
}

/** What is played: a song, or an episode of a podcast. */
export interface Heard {
  readonly id: Id
  readonly isEpisode: boolean
}

/** Songs and episodes in their order: each run of one kind is written at once. */
export async function heardOf(
  { listing }: With,
  { viewer, form, signal }: Who,
  items: readonly Heard[],
  element: string,
): Promise<Value> {
  const manner = { form, element }
  const pieces: Uint8Array[] = []
  let run: Id[] = []
  for (const [at, { id, isEpisode }] of items.entries()) {
    run.push(id)
    if (items[at + 1]?.isEpisode === isEpisode && run.length < atOnce) continue
    const text = isEpisode
      ? listing.episodes(viewer, run, manner, signal)
      : listing.songs(viewer, run, manner, signal)
    pieces.push(...(await text))
    run = []
  }
  return written(pieces)
}

export function artistsOf(
  parts: With,
  asking: Who,
  items: Named,
  manner: Omit<Manner, 'form'>,
): Promise<Value> {
  return inPieces(items, (ids) =>
    parts.listing.artists(asking.viewer, ids, { form: asking.form, ...manner }, asking.signal),
  )
}

/** So many are asked for at once; between them the reader thread answers others. */
const atOnce = 500

async function inPieces(items: Named, read: (ids: readonly Id[]) => Promise<Text>): Promise<Value> {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < items.length; at += atOnce) {
    pieces.push(...(await read(items.slice(at, at + atOnce).map(({ id }) => id))))
  }
  return written(pieces)
}

/** Where a page begins, and how long it is. */
export interface Span {
  readonly limit: number
  readonly cursor: string | undefined
}

/** All of a list, page after page. */
export async function* wholeList(read: (page: Span) => Promise<Listed>): Flow {
  let cursor: string | undefined
  do {
    const { text, next }: Listed = await read({ limit: atOnce, cursor })
    yield written(text)
    cursor = next
  } while (cursor !== undefined)
}

/** A part of a list, as content. */
export function listOf(part: Listed | undefined): Value {
  return part === undefined ? [] : written(part.text)
}
