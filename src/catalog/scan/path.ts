import { Buffer } from 'node:buffer'

/**
 * File names are bytes; facts are text. Every path has exactly one text form and the reverse: valid UTF-8 stands as it
 * is, and each byte b ≥ 0x80 that is no part of valid UTF-8 becomes the private character U+F700 + b. A valid name
 * that contains one of these characters (U+F780 to U+F7FF) has its bytes escaped in the same way.
 */
export function pathText(bytes: Uint8Array): string {
  const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = plain.toString('utf8')
  if (!text.includes('\ufffd') && !hasEscape(text)) return text
  let escaped = ''
  for (let at = 0; at < plain.length; ) {
    const length = sequenceLength(plain, at)
    const end = at + (Math.abs(length) || 1)
    if (length > 0) escaped += plain.toString('utf8', at, end)
    else for (const byte of plain.subarray(at, end)) escaped += String.fromCharCode(0xf700 + byte)
    at = end
  }
  return escaped
}

/** The bytes of a path or name that `pathText` made text of. A string where it is plain, which Node opens quicker. */
export function pathBytes(text: string): string | Buffer {
  if (!hasEscape(text)) return text
  const parts: Buffer[] = []
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xf780 || code > 0xf7ff) continue
    parts.push(Buffer.from(text.slice(from, at)), Buffer.of(code - 0xf700))
    from = at + 1
  }
  parts.push(Buffer.from(text.slice(from)))
  return Buffer.concat(parts)
}

/** The text to show to a person: escaped bytes and control characters (a newline in a name) as `�`. */
export function displayPath(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\uf780-\uf7ff\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** Orders paths as SQLite orders text: by the bytes of their UTF-8. Negative: `one` comes first. */
export function comparePaths(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at)
    const b = other.charCodeAt(at)
    if (a === b) continue
    // Surrogates stand for code points beyond U+FFFF, which come after everything else.
    const aSurrogate = a >= 0xd800 && a <= 0xdfff
    const bSurrogate = b >= 0xd800 && b <= 0xdfff
    return aSurrogate === bSurrogate ? a - b : aSurrogate ? 1 : -1
  }
  return one.length - other.length
}

function hasEscape(text: string): boolean {
  return /[\uf780-\uf7ff]/.test(text)
}

/** The length of the valid UTF-8 sequence at `at`; negative for one that must be escaped; 0 where there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0
  const character = bytes.toString('utf8', at, at + length)
  if (character.includes('\ufffd') && !bytes.subarray(at, at + length).equals(replacement)) return 0
  return hasEscape(character) ? -length : length
}

/** U+FFFD itself may stand in a name. */
const replacement = Buffer.from('\ufffd')
