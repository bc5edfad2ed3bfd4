import { Buffer } from 'node:buffer'

/** File systems allow 255 bytes; some room stays for what others add to a name. */
const mostBytes = 200

/**
 * A file's name as its uploader sent it, made safe as a name in our own folder, on a page and in a header: without
 * folders, control characters and the marks that turn the direction of text; never hidden, never empty.
 */
export function safeFileName(sent: string): string {
  const last = sent.normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const visible = last.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '').replace(/^[\s.]+|[\s.]+$/g, '')
  return visible === '' ? 'upload' : shorten(visible)
}

/** Keeps the suffix, which says what the file is, and cuts no character in two. */
function shorten(name: string): string {
  const suffix = /\.[^.]{1,10}$/u.exec(name)?.[0] ?? ''
  let left = mostBytes - Buffer.byteLength(suffix)
  let stem = ''
  for (const character of name.slice(0, name.length - suffix.length)) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    stem += character
  }
  return stem + suffix
}
