/** A word or syllable of a line: `text.slice(from, to)` is sung from `startMs` on. */
export interface TimedWord {
  readonly from: number
  readonly to: number
  readonly startMs: number
  /** Of a line, every word has it or none. */
  readonly endMs?: number
}

interface Word {
  readonly from: number
  readonly to: number
  readonly startMs: number
  endMs?: number
}

const stamp = /<(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?>/
const stamps = new RegExp(stamp.source, 'g')

export function millisecondsOf(minutes: string, seconds: string, fraction = '0'): number {
  return Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(`0.${fraction}`) * 1_000
}

/**
 * A line of "enhanced" LRC after its own time: `<00:01.00>one <00:01.50>two<00:02.00>`. Each stamp is the start of what
 * follows it, and one that nothing follows is the end of what stands before it. Null where there are none, where the
 * text has more than `longest` characters, and where times run backwards, for nobody could follow them.
 */
export function timedWords(
  line: string,
  lineStartMs: number,
  longest: number,
): { text: string; words: TimedWord[] } | null {
  // Text, then minutes, seconds, fraction and text for each stamp.
  const [before = '', ...parts] = line.split(stamp)
  let text = ''
  const words: Word[] = []
  const add = (raw: string, startMs: number) => {
    const piece = raw.replace(/\s+/g, ' ')
    if (piece.trim() === '') {
      const last = words.at(-1)
      if (last !== undefined) last.endMs ??= startMs
    }
    text += text === '' || text.endsWith(' ') ? piece.trimStart() : piece
    const to = text.trimEnd().length
    const from = text.length - piece.trimStart().length
    if (to > from) words.push({ from, to, startMs })
  }
  if (parts.length > 0 && before.trim() !== '') add(before, lineStartMs)
  for (let at = 0; at + 3 < parts.length; at += 4) {
    if (text.length > longest) return null
    const [minutes = '0', seconds = '0', fraction, raw = ''] = parts.slice(at, at + 4)
    add(raw, millisecondsOf(minutes, seconds, fraction))
  }
  const isSound = words.length > 0 && text.length <= longest && runForwards(words)
  return isSound ? { text: text.trimEnd(), words } : null
}

/** The line without its stamps. */
export function withoutStamps(line: string): string {
  return line.replace(stamps, '')
}

function runForwards(words: readonly Word[]): boolean {
  return words.every(({ startMs, endMs = startMs }, at) => {
    const next = words[at + 1]?.startMs ?? endMs
    return startMs <= endMs && startMs <= next
  })
}

/**
 * The same words, each with an end or none: where only some say when they end, the others end where the next begins,
 * and the last one where the next line does.
 */
export function withEnds(words: readonly TimedWord[], nextLineMs: number | undefined): TimedWord[] {
  const lastEndMs = words.at(-1)?.endMs ?? nextLineMs
  const isKnown = lastEndMs !== undefined && words.some(({ endMs }) => endMs !== undefined)
  return words.map(({ from, to, startMs, endMs }, at) => {
    if (!isKnown) return { from, to, startMs }
    const until = endMs ?? words[at + 1]?.startMs ?? lastEndMs
    return { from, to, startMs, endMs: Math.max(startMs, until) }
  })
}
