import { Parser } from 'htmlparser2'
import type { FeedHead, FeedItem } from '../../protocol/facts/podcasts.ts'
import { plainLine, plainText } from './text.ts'
import { addressOf, dateOf, durationOf, explicitOf, numberOf } from './values.ts'

/** Episodes that are taken of one feed, the newest: the longest there are have some thousand. */
export const mostItems = 5_000

/** What a feed says, with the newest episodes first. */
export interface Feed {
  readonly head: FeedHead
  readonly items: readonly FeedItem[]
}

/** Elements within elements; more is no feed but an attack. */
const deepest = 64
/** Characters that are read of one element. */
const mostText = 200_000

/** An item, or the head, as it is being read: what its elements say first, by their names, and its links. */
interface Draft {
  readonly texts: Map<string, string>
  audio: { url: string; mediaType: string; length: string } | undefined
  imageUrl: string | undefined
}

/**
 * Reads RSS 2.0 with what iTunes added to it, and the same in Atom. `base`: where the feed was found, for addresses that
 * are not whole. Null: it is no feed. It takes whatever is not well formed as well as it can; entities that a document
 * defines are not known here, so there is nothing to unfold (law S1: to be run in a child process all the same).
 */
export function parseFeed(xml: string, base: string): Feed | null {
  const head = newDraft()
  const drafts: Draft[] = []
  const path: string[] = []
  let isFeed = false
  let item: Draft | null = null
  let text = ''

  const current = () => item ?? head
  /** Only what stands in the channel or item itself: an `image` has a title of its own. */
  const isDirect = () => holders.has(path.at(-2) ?? '')

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        path.push(name)
        if (path.length > deepest) throw new RangeError('it is too deep')
        text = ''
        if (path.length === 1) isFeed = roots.has(name)
        if (items.has(name)) item = newDraft()
        if (isDirect()) readAttributes(current(), name, attributes)
      },
      ontext(data) {
        if (text.length < mostText) text += data
      },
      onclosetag(name) {
        const draft = current()
        const isPlain = isDirect() && !draft.texts.has(name)
        if (isPlain && text.trim() !== '') draft.texts.set(name, text)
        // `<image><url>…</url></image>` of RSS.
        if (name === 'url' && path.at(-2) === 'image' && item === null) head.imageUrl ??= text
        path.pop()
        text = ''
        if (!items.has(name) || item === null) return
        if (item.audio !== undefined) drafts.push(item)
        item = null
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(xml)
  return isFeed ? { head: headOf(head, base), items: itemsOf(drafts, base) } : null
}

const roots: ReadonlySet<string> = new Set(['rss', 'rdf:RDF', 'feed'])
const items: ReadonlySet<string> = new Set(['item', 'entry'])
const holders: ReadonlySet<string> = new Set(['channel', 'feed', ...items])

function newDraft(): Draft {
  return { texts: new Map(), audio: undefined, imageUrl: undefined }
}

function readAttributes(draft: Draft, name: string, attributes: Readonly<Record<string, string>>): void {
  const { url, href, type = '', length = '', rel } = attributes
  if (name === 'itunes:image' && href !== undefined) draft.imageUrl = href
  const isEnclosure = name === 'enclosure' || (name === 'link' && rel === 'enclosure')
  const address = name === 'link' ? href : url
  if (!isEnclosure || address === undefined || address.trim() === '') return
  // Where there are several, the sound rather than the film.
  const isBetter = draft.audio === undefined || (isSound(type) && !isSound(draft.audio.mediaType))
  if (isBetter) draft.audio = { url: address, mediaType: type, length }
}

/** What is said to be less, by those who must say something, says nothing. */
const leastSize = 1_024

const isSound = (mediaType: string) => mediaType.startsWith('audio/')

/** What the first of the elements with these names says. */
function first({ texts }: Draft, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = texts.get(name)
    if (text !== undefined) return text
  }
  return undefined
}

function headOf(draft: Draft, base: string): FeedHead {
  return {
    ...line('title', first(draft, 'title'), 1_000),
    ...description(first(draft, 'description', 'itunes:summary', 'subtitle', 'itunes:subtitle')),
    ...line('author', first(draft, 'itunes:author', 'managingEditor'), 1_000),
    ...image(draft, base),
  }
}

/** A field where the text says anything. */
function line<Name extends string>(
  name: Name,
  html: string | undefined,
  most: number,
): Partial<Record<Name, string>> {
  const text = html === undefined ? '' : plainLine(html, most)
  const field: Partial<Record<Name, string>> = {}
  if (text !== '') field[name] = text
  return field
}

function description(html: string | undefined): { description?: string } {
  const text = html === undefined ? '' : plainText(html, 8_000)
  return text === '' ? {} : { description: text }
}

function image({ imageUrl }: Draft, base: string): { imageUrl?: string } {
  const address = imageUrl === undefined ? undefined : addressOf(imageUrl, base)
  return address === undefined ? {} : { imageUrl: address }
}

function itemsOf(drafts: readonly Draft[], base: string): FeedItem[] {
  const read = drafts.flatMap((draft) => itemOf(draft, base) ?? [])
  const guids = new Map<string, number>()
  for (const { guid } of read) guids.set(guid, (guids.get(guid) ?? 0) + 1)
  // What names several names none of them: the addresses of their audio tell them apart.
  const named = read.map((item) => (guids.get(item.guid) === 1 ? item : { ...item, guid: item.audio.url }))
  const once = [...new Map(named.toReversed().map((item) => [item.guid, item])).values()].toReversed()
  return once.toSorted((one, other) => (other.publishedAt ?? 0) - (one.publishedAt ?? 0)).slice(0, mostItems)
}

function itemOf(draft: Draft, base: string): FeedItem | null {
  const url = draft.audio && addressOf(draft.audio.url, base)
  if (draft.audio === undefined || url === undefined) return null
  const { mediaType, length } = draft.audio
  const guid = first(draft, 'guid', 'id')?.trim() ?? ''
  const published = first(draft, 'pubDate', 'published', 'dc:date', 'updated')
  const size = numberOf(length, Number.MAX_SAFE_INTEGER)
  const value = <Value>(name: string, read: (written: string) => Value | undefined) => {
    const written = first(draft, name)
    return written === undefined ? undefined : read(written)
  }
  const title = plainLine(first(draft, 'title', 'itunes:title') ?? '', 1_000)
  return {
    guid: guid === '' ? url : guid.slice(0, 4_000),
    title: title === '' ? (url.split('/').at(-1) ?? '').slice(0, 1_000) || 'Episode' : title,
    ...description(first(draft, 'description', 'itunes:summary', 'content:encoded', 'summary', 'content')),
    ...line('author', first(draft, 'itunes:author', 'dc:creator'), 1_000),
    ...given({
      publishedAt: published === undefined ? undefined : dateOf(published),
      durationMs: value('itunes:duration', durationOf),
      number: value('itunes:episode', (written) => numberOf(written, 99_999)),
      season: value('itunes:season', (written) => numberOf(written, 9_999)),
      explicit: value('itunes:explicit', explicitOf),
    }),
    ...image(draft, base),
    audio: {
      url,
      ...(mediaType !== '' && { mediaType: mediaType.slice(0, 100) }),
      ...(size !== undefined && size >= leastSize && { size }),
    },
  }
}

type Given<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }

/** Without the fields that say nothing. */
function given(fields: {
  readonly publishedAt: number | undefined
  readonly durationMs: number | undefined
  readonly number: number | undefined
  readonly season: number | undefined
  readonly explicit: boolean | undefined
}): Given<typeof fields> {
  const { publishedAt, durationMs, number, season, explicit } = fields
  return {
    ...(publishedAt !== undefined && { publishedAt }),
    ...(durationMs !== undefined && { durationMs }),
    ...(number !== undefined && { number }),
    ...(season !== undefined && { season }),
    ...(explicit !== undefined && { explicit }),
  }
}
