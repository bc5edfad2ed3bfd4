import { createHash } from 'node:crypto'

/**
 * A picture for what has none: colours and rings that follow from the id, and the name's initials. The same id and name
 * always give the same SVG.
 */
export function placeholder(id: string, name: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = createHash('sha256').update(id).digest()
  const hue = Math.round((a / 256) * 360)
  const second = (hue + 30 + (b % 60)) % 360
  const x = 40 + (c / 256) * 240
  const y = 40 + (d / 256) * 240
  const rings = [150, 118, 86, 54, 22].map(
    (radius, index) =>
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius + (e % 24)}" stroke-opacity="${0.1 + index * 0.04}"/>`,
  )
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320" width="320" height="320">',
    '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">',
    `<stop offset="0" stop-color="hsl(${hue},42%,38%)"/><stop offset="1" stop-color="hsl(${second},48%,22%)"/>`,
    '</linearGradient></defs><rect width="320" height="320" fill="url(#g)"/>',
    `<g fill="none" stroke="#fff" stroke-width="10">${rings.join('')}</g>`,
    '<text x="160" y="160" dy="0.35em" text-anchor="middle" font-family="system-ui,sans-serif" font-weight="600"',
    ` font-size="112" fill="#fff" fill-opacity="0.92">${escapeXml(initials(name))}</text></svg>`,
  ].join('')
}

/** The first letters or digits of the first and last words, in capitals; of one word only its first. */
export function initials(name: string): string {
  const words =
    name
      .toWellFormed()
      .normalize('NFC')
      .match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? []
  const ends = words.length > 1 ? [words.at(0), words.at(-1)] : words.slice(0, 1)
  const segmenter = new Intl.Segmenter()
  const letters = ends.map(
    (word = '') => segmenter.segment(word)[Symbol.iterator]().next().value?.segment ?? '',
  )
  const text = letters.join('').toLocaleUpperCase('en')
  return text === '' ? '♪' : [...text].slice(0, 6).join('')
}

const entities: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => entities[character] ?? '')
}
