import { gunzipSync } from 'node:zlib'

/** What a feed may unfold to, in bytes. */
const unfoldedBytes = 32 * 1_048_576

/**
 * The text of a feed as it came: unpacked where it is gzip, whatever its server says of it, and in the encoding that its
 * first bytes, its own first line or its server (`charset`) name. Throws where it cannot be unpacked.
 */
export function decodeFeed(bytes: Buffer, charset: string | undefined): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const plain = isGzip ? gunzipSync(bytes, { maxOutputLength: unfoldedBytes }) : bytes
  return decoderOf(markOf(plain) ?? declared(plain) ?? charset).decode(plain)
}

function markOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : undefined
}

function declared(bytes: Buffer): string | undefined {
  return /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(bytes.toString('latin1', 0, 256))?.[1]
}

function decoderOf(label: string | undefined) {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder()
  }
}
