/**
 * The Content-Disposition of a download (RFC 6266, RFC 8187): the name in ASCII for old clients, and as it is. What
 * could lead astray is replaced: separators of paths, control characters, and marks that turn the direction of writing
 * (which make `gpj.exe` look like `exe.jpg`).
 */
export function attachment(fileName: string): string {
  const name = [...fileName.toWellFormed().replace(unsafe, '_').replace(/^\.+/, '_')]
    .slice(0, 200)
    .join('')
    .trim()
  const safe = name === '' ? 'download' : name
  const ascii = safe.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_')
  const header = `attachment; filename="${ascii}"`
  return ascii === safe ? header : `${header}; filename*=UTF-8''${encodeExtended(safe)}`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be found.
const unsafe = /[\x00-\x1f\x7f-\x9f/\\:*?<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Percent-encodes all but the `attr-char` of RFC 8187. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
