import { cleanLines, cleanText } from './text.ts'
import { millisecondsOf, type TimedWord, timedWords, withEnds, withoutStamps } from './words.ts'

/** One set of lyrics: with times where every line has its `startMs`, else plain. */
export interface Lyrics {
  readonly synced: boolean
  /** As the file says, lower case: `eng`, `es`; absent: unknown. */
  readonly language?: string
  readonly lines: readonly LyricsLine[]
}

export interface LyricsLine {
  readonly text: string
  readonly startMs?: number
  /** In their order, where the file has times for them ("enhanced" LRC). */
  readonly words?: readonly TimedWord[]
}

const mostLines = 5_000
/** Of all lines together; a song has some hundreds. */
const mostWords = 20_000
const longestLine = 2_000
const longestText = 1_000_000

const timeTag = /\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]/g
const lineStart = /^(?:\s*\[\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?\])+/

/**
 * Lyrics from a text: LRC where lines carry times (several times before one line, `[offset:±ms]` and the word times of
 * "enhanced" LRC are understood), else plain. Null where nothing is left.
 */
export function parseLyrics(text: string, language?: string): Lyrics | null {
  const lines = cleanLines(text.slice(0, longestText), longestText).split('\n')
  const withLanguage = (lyrics: Lyrics): Lyrics => (language ? { ...lyrics, language } : lyrics)
  const timed = timedLines(lines)
  if (timed.length > 0) return withLanguage({ synced: true, lines: timed })
  const plain = lines
    .filter((line) => !/^\s*\[[a-z#]{1,10}:[^\]]*\]\s*$/i.test(line))
    .slice(0, mostLines)
    .map((line) => ({ text: cleanText(line, longestLine) }))
  return plain.some((line) => line.text !== '') ? withLanguage({ synced: false, lines: plain }) : null
}

interface TimedLine extends LyricsLine {
  readonly startMs: number
}

function timedLines(lines: readonly string[]): TimedLine[] {
  const timed: TimedLine[] = []
  let offset = 0
  let words = 0
  for (const line of lines) {
    const [, shift] = /^\s*\[offset:\s*([+-]?\d{1,7})\s*\]/i.exec(line) ?? []
    if (shift !== undefined) offset = Number(shift)
    const [head] = lineStart.exec(line) ?? []
    if (head === undefined) continue
    const room = mostLines - timed.length
    if (room === 0) break
    const starts = Array.from(
      head.matchAll(timeTag).take(room),
      ([, minutes = '0', seconds = '0', fraction]) => millisecondsOf(minutes, seconds, fraction),
    )
    // A positive offset shows the lines sooner.
    const found = linesOf(line.slice(head.length), starts, offset, mostWords - words)
    words += found.reduce((sum, one) => sum + (one.words?.length ?? 0), 0)
    timed.push(...found)
  }
  timed.sort((one, other) => one.startMs - other.startMs)
  return timed.map(({ words, ...line }, at) =>
    words === undefined ? line : { ...line, words: withEnds(words, timed[at + 1]?.startMs) },
  )
}

/**
 * The line at each of its times. Its words have the times of the first; later they come as long after the line. Where
 * there are more than `room` of them, they have none.
 */
function linesOf(line: string, starts: readonly number[], offset: number, room: number): TimedLine[] {
  const first = Math.min(...starts)
  const timed = timedWords(line, first, longestLine)
  const place = (ms: number, start: number) => Math.max(0, Math.round(ms - first + start - offset))
  if (timed === null || timed.words.length * starts.length > room) {
    const text = cleanText(withoutStamps(line), longestLine)
    return starts.map((start) => ({ startMs: place(first, start), text }))
  }
  return starts.map((start) => {
    const placed = timed.words.map(({ endMs, ...word }) => ({
      ...word,
      startMs: place(word.startMs, start),
      ...(endMs !== undefined && { endMs: place(endMs, start) }),
    }))
    return { startMs: place(first, start), text: timed.text, words: placed }
  })
}

/** Lyrics from the body of an ID3v2 SYLT frame (id3v2.4.0-frames §4.9), or null where it holds none with milliseconds. */
export function parseTimedFrame(body: Uint8Array): Lyrics | null {
  const [encoding = 255, , , , unit, content] = body
  // Unit 2 is milliseconds; content 0 to 2 is anything sung or transcribed, the rest are chords, trivia and the like.
  if (unit !== 2 || content === undefined || content > 2 || encoding > 3) return null
  const wide = encoding === 1 || encoding === 2
  const language = String.fromCharCode(...body.subarray(1, 4)).toLowerCase()
  const [description, afterDescription] = terminated(body, 6, wide)
  let order = description
  let at = afterDescription
  const lines: LyricsLine[] = []
  while (at + 4 < body.length && lines.length < mostLines) {
    const [bytes, end] = terminated(body, at, wide)
    if (end + 4 > body.length) break
    if (hasMark(bytes)) order = bytes
    const startMs = new DataView(body.buffer, body.byteOffset + end, 4).getUint32(0)
    lines.push({ startMs, text: cleanText(decodeFrameText(bytes, encoding, order), longestLine) })
    at = end + 4
  }
  return lines.some(({ text }) => text !== '')
    ? { synced: true, lines, ...(/^[a-z]{3}$/.test(language) && language !== 'xxx' ? { language } : {}) }
    : null
}

/** The bytes up to the terminator, and where the next field begins. */
function terminated(body: Uint8Array, from: number, wide: boolean): [bytes: Uint8Array, next: number] {
  const step = wide ? 2 : 1
  for (let at = from; at + step <= body.length; at += step) {
    if (body[at] === 0 && (!wide || body[at + 1] === 0)) return [body.subarray(from, at), at + step]
  }
  return [body.subarray(from), body.length]
}

function hasMark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
}

/** Encodings: 0 Latin-1, 1 UTF-16 with a mark (which only the first text may carry: `order`), 2 UTF-16BE, 3 UTF-8. */
function decodeFrameText(bytes: Uint8Array, encoding: number, order: Uint8Array): string {
  if (encoding === 0) return new TextDecoder('windows-1252').decode(bytes)
  if (encoding === 3) return new TextDecoder().decode(bytes)
  const big = encoding === 2 || order[0] === 0xfe
  return new TextDecoder(big ? 'utf-16be' : 'utf-16le').decode(bytes)
}
