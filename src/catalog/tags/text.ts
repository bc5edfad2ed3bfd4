/** Cleaning of text from untrusted tags: what is too long is cut, what cannot be shown is dropped, nothing is rejected. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028\u2029\ufeff\ufffe\uffff]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1, its control characters included
const latin1 = /^[\u0000-\u00ff]*$/
const beyondAscii = /[\u0080-\u00ff]/
const utf8 = new TextDecoder('utf-8', { fatal: true })
const windows1252 = new TextDecoder('windows-1252')

/**
 * One line of text of at most `limit` characters: without control characters, white space joined, and repaired where
 * UTF-8 or Windows-1252 was stored as Latin-1 (a frequent fault of old taggers). Empty where nothing is left.
 */
export function cleanText(text: string, limit: number): string {
  return cut(withoutControls(repair(text)).replace(/\s+/g, ' ').trim(), limit)
}

/** The same for text of several lines. */
export function cleanLines(text: string, limit: number): string {
  const lines = repair(text).replace(/\r\n?/g, '\n')
  return cut(withoutControls(lines).trim(), limit)
}

/** Cuts without parting a surrogate pair. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const code = text.charCodeAt(limit - 1)
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit)
}

function withoutControls(text: string): string {
  return text.replace(controls, '').toWellFormed()
}

function repair(text: string): string {
  if (!beyondAscii.test(text) || !latin1.test(text)) return text
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  try {
    return utf8.decode(bytes)
  } catch {
    return /[\u0080-\u009f]/.test(text) ? windows1252.decode(bytes) : text
  }
}

/**
 * Decodes the bytes of a text file beside the music: by its byte order mark, else as UTF-8 where it is valid, else as
 * UTF-16 where every other byte is zero, else as Windows-1252.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  const sample = bytes.subarray(0, 256)
  const zeros = (parity: number) => sample.filter((byte, index) => index % 2 === parity && byte === 0).length
  if (sample.length >= 4 && zeros(1) > sample.length / 4) return new TextDecoder('utf-16le').decode(bytes)
  if (sample.length >= 4 && zeros(0) > sample.length / 4) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return utf8.decode(bytes)
  } catch {
    return windows1252.decode(bytes)
  }
}
