/** Most terms that are taken of one name, and characters of one term: a tag of megabytes costs no more than a page. */
const longestText = 1_000
const mostTerms = 60
const longestTerm = 40

/** Letters that Unicode does not take apart, as people without them on the keyboard write them. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  æ: 'ae',
  œ: 'oe',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ħ: 'h',
  ŧ: 't',
}
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const runs = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu')
const isUnspaced = new RegExp(`^[${unspaced}]`, 'u')

/**
 * Text as it is compared: letter case, width, ligatures and the accents of Latin, Greek and Cyrillic letters make no
 * difference. Marks of other scripts stay, since there they are letters.
 */
export function fold(text: string): string {
  const lower = text.slice(0, longestText).toLowerCase()
  if (isAscii(lower)) return lower
  return lower
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[ßøłæœđðþıħŧ]/g, (letter) => plainLetters[letter] ?? letter)
}

export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is the range of ASCII.
  return /^[\x00-\x7f]*$/.test(text)
}

export interface QueryTerm {
  readonly term: string
  /** Whether longer words that begin with it fit as well. */
  readonly prefix: boolean
}

/**
 * The terms under which a name is found: its words; what stands together without a space also as one word (AC/DC, don't,
 * R.E.M.); scripts without spaces as pairs of characters; a name without any letter (!!!, ÷) as its characters' codes.
 */
export function termsOf(name: string): string[] {
  const folded = fold(name)
  if (isPlain.test(folded)) return plainTerms(folded)
  const terms = new Set<string>()
  for (const word of wordsOf(folded)) {
    for (const part of word.parts) for (const term of pairs(part, true)) terms.add(term)
    if (word.parts.length > 1) terms.add(word.parts.join('').slice(0, longestTerm))
    if (terms.size >= mostTerms) break
  }
  return [...terms].slice(0, mostTerms)
}

/** Nearly all names: words of letters and digits of ASCII with a space between them. */
const isPlain = /^[a-z0-9]+(?: [a-z0-9]+)*$/

function plainTerms(folded: string): string[] {
  const terms = folded.split(' ').map((word) => word.slice(0, longestTerm))
  return (terms.length === 1 ? terms : [...new Set(terms)]).slice(0, mostTerms)
}

/** The terms that a search asks for, in the order of the words; at most ten, of at most 200 characters of text. */
export function queryTerms(query: string): QueryTerm[] {
  const terms = new Map<string, QueryTerm>()
  for (const word of wordsOf(fold(query.slice(0, 200)))) {
    for (const part of word.parts) {
      const single = [...part].length === 1
      const prefix = single || !isUnspaced.test(part)
      for (const term of pairs(part, false)) terms.set(term, { term, prefix })
    }
  }
  const all = [...terms.values()].slice(0, 10)
  const letters = all.filter(({ term }) => term.length === 1)
  return letters.length <= mostLetters
    ? all
    : all.filter((each) => !letters.slice(mostLetters).includes(each))
}

/** One letter fits half of all names; several of them narrow a search no further, and take long. */
const mostLetters = 2

/** A name as one line of its words: what an exact match compares. */
export function plainText(name: string): string {
  return wordsOf(fold(name))
    .map((word) => word.parts.join(' '))
    .join(' ')
}

interface Word {
  /** Its pieces: of letters and digits, each of one kind of script. */
  readonly parts: readonly string[]
}

function wordsOf(folded: string): Word[] {
  const words: Word[] = []
  // Nearly all names are in ASCII, which has one kind of script: telling that first halves the time that words take.
  const plain = isAscii(folded)
  for (const chunk of folded.split(/\s+/)) {
    const parts = plain
      ? chunk.match(/[a-z0-9]+/g)
      : chunk.match(/[\p{L}\p{N}\p{M}]+/gu)?.flatMap((piece) => piece.match(runs) ?? [])
    if (parts) words.push({ parts })
  }
  return words.length > 0 ? words : symbols(folded)
}

function symbols(folded: string): Word[] {
  const codes = [...folded.replace(/[\s\0]+/g, '')]
    .slice(0, 8)
    .map((symbol) => `u${symbol.codePointAt(0)?.toString(16)}`)
  return codes.length > 0 ? [{ parts: [codes.join('')] }] : []
}

/** A run of a script without spaces as overlapping pairs; for a name also its last character, so that one finds it. */
function pairs(part: string, ofName: boolean): string[] {
  if (!isUnspaced.test(part)) return [part.slice(0, longestTerm)]
  const characters = [...part].slice(0, longestTerm)
  const made: string[] = []
  for (let at = 0; at + 1 < characters.length; at++) made.push(`${characters[at]}${characters[at + 1]}`)
  const last = characters.at(-1)
  if (last !== undefined && (ofName || characters.length === 1)) made.push(last)
  return made
}
