import { Parser } from 'htmlparser2'

/** Elements whose text is no text. */
const silent: ReadonlySet<string> = new Set(['script', 'style', 'template', 'iframe', 'object', 'svg'])
/** Elements after which a line ends. */
const lines: ReadonlySet<string> = new Set(['br', 'div', 'h1', 'h2', 'h3', 'h4', 'li', 'p', 'tr', 'ul', 'ol'])

/**
 * What a reader of the HTML would read, as plain text of at most `most` characters: feeds put HTML into everything, also
 * where none should be, and what is no HTML comes out as it was.
 */
export function plainText(html: string, most: number): string {
  let text = ''
  let silence = 0
  const parser = new Parser({
    onopentagname(name) {
      if (silent.has(name)) silence += 1
      if (name === 'li') text += '\n• '
    },
    ontext(data) {
      if (silence === 0) text += data
    },
    onclosetag(name) {
      if (silent.has(name)) silence -= 1
      if (lines.has(name)) text += '\n'
    },
  })
  parser.end(html)
  return shortened(tidied(text), most)
}

/** The same in one line. */
export function plainLine(html: string, most: number): string {
  return shortened(
    plainText(html, 2 * most)
      .replace(/\s+/g, ' ')
      .trim(),
    most,
  )
}

function tidied(text: string): string {
  return withoutControls(text)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** XML cannot hold them, and nobody can read them. */
function withoutControls(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])[\p{Cc}\ufffe\uffff]/gu, '')
}

/** Cut between characters, never within one. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 1)
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}
