import { fold, isAscii } from './search/words.ts'

/**
 * Keys of ordered lists: bytes whose order is the order of the list. They are held as strings of one character for a
 * byte ("binary" strings), which JavaScript compares as SQLite compares BLOBs. Each ends with half of the item's GUID,
 * so that no two are equal and the order is the same on every node.
 */
export type Key = string

/** Words that do not count at the start of a name, unless it has a sort name of its own. */
export const ignoredArticles = 'The El La Los Las Le Les Os As O A An'

const article = new RegExp(`^(?:${ignoredArticles.toLowerCase().split(' ').join('|')})\\s+(?=\\S)`)

/** Most names: words of ASCII with a space between them, of which the first begins with a letter or digit. */
const isPlain = /^[a-z0-9][\x21-\x7e]*(?: [\x21-\x7e]+)*$/

/** What a name is sorted under: its sort name, or itself without an article. */
export function sortText(name: string, sort: string | null | undefined): string {
  const own = sort ? fold(sort) : fold(name).replace(article, '')
  if (isPlain.test(own)) return own
  return own
    .replace(/\s+/g, ' ')
    .replace(/^[^\p{L}\p{N}]+(?=.*[\p{L}\p{N}])/u, '')
    .trim()
}

/** A sorted text as bytes; what has no text comes last. */
export function textKey(text: string, longest = 32): Key {
  if (text === '') return '\xff'
  const start = text.slice(0, longest)
  return isAscii(start) ? start : Buffer.from(start).subarray(0, longest).toString('latin1')
}

const end = '\0'

export function nameKey(sorted: string, guid: Uint8Array): Key {
  return textKey(sorted) + end + tail(guid)
}

export function artistAlbumKey(artist: string, year: number | null, sorted: string, guid: Uint8Array): Key {
  return textKey(artist, 24) + end + yearKey(year) + textKey(sorted, 16) + end + tail(guid)
}

export function yearNameKey(year: number | null, sorted: string, guid: Uint8Array): Key {
  return yearKey(year) + textKey(sorted, 20) + end + tail(guid)
}

export function timeKey(time: number, guid: Uint8Array): Key {
  return bytes(time, 6) + tail(guid)
}

/** The same in SQL, of columns with whole milliseconds and GUIDs. */
export function timeKeySql(time: string, guid: string): string {
  return `unhex(printf('%012x', max(0, ${time}) % ${256 ** 6}) || hex(substr(${guid}, 9)))`
}

/** The most first, then by name. */
export function countKey(count: number, sorted: string, guid: Uint8Array): Key {
  return bytes(0xffffff - Math.min(count, 0xffffff), 3) + nameKey(sorted, guid)
}

/** Without a year: last. */
export function yearKey(year: number | null): Key {
  return bytes(year === null ? 0xffff : Math.max(0, Math.min(year, 0xfffe)), 2)
}

export function keyBytes(key: Key): Uint8Array {
  return Buffer.from(key, 'latin1')
}

export function keyOf(data: Uint8Array): Key {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
}

/** The key of bytes as SQLite's `hex` writes them, which costs less than to hand over the bytes. */
export function keyOfHex(hex: string): Key {
  return Buffer.from(hex, 'hex').toString('latin1')
}

function tail(guid: Uint8Array): Key {
  let key = ''
  for (let at = 8; at < 16; at += 1) key += String.fromCharCode(guid[at] ?? 0)
  return key
}

function bytes(value: number, length: number): Key {
  const made = Buffer.allocUnsafe(length)
  made.writeUIntBE(Math.trunc(Math.max(0, value)) % 256 ** length, 0, length)
  return made.toString('latin1')
}
