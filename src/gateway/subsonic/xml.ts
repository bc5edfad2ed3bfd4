import { type Content, isFlow, isList, isWritten, type Scalar, type Value } from './content.ts'

/**
 * Writes content as the API's XML: what is simple becomes an attribute, what has parts becomes an element, and a list
 * becomes one element for each item. There are two exceptions: `value` is the text of its element where that has no parts,
 * and the descriptions of artists and albums are elements throughout.
 */
export function xmlOf(name: string, content: Content): string {
  return `${xmlHead}${elementOf(name, content)}\n`
}

export const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** Elements whose simple parts are elements too. */
const wordy: ReadonlySet<string> = new Set(['artistInfo', 'artistInfo2', 'albumInfo'])

/** Content as an element of that name. What comes only as it is asked for is written by `flow.ts`. */
export function elementOf(name: string, content: Content): string {
  const { attributes, inside } = partsOf(name, content)
  return inside === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${inside}</${name}>`
}

/** The same without its end. */
export function startOf(name: string, content: Content): string {
  const { attributes, inside } = partsOf(name, content)
  return `<${name}${attributes}>${inside}`
}

function partsOf(name: string, content: Content): { attributes: string; inside: string } {
  let attributes = ''
  let inside = ''
  const isText = Object.values(content).every((value) => value === undefined || isScalar(value))
  for (const [part, value] of Object.entries(content)) {
    if (value === undefined) continue
    if (!isScalar(value)) inside += childrenOf(part, value)
    else if (part === 'value' && isText) inside += escapeText(String(value))
    else if (wordy.has(name)) inside += textElement(part, value)
    else attributes += ` ${part}="${attributeOf(String(value))}"`
  }
  return { attributes, inside }
}

function childrenOf(name: string, value: Exclude<Value, Scalar>): string {
  if (isFlow(value) || isWritten(value)) throw new TypeError(`${name} is written as it comes`)
  if (!isList(value)) return elementOf(name, value)
  let children = ''
  for (const item of value) children += isScalar(item) ? textElement(name, item) : elementOf(name, item)
  return children
}

export function textElement(name: string, value: Scalar): string {
  return `<${name}>${escapeText(String(value))}</${name}>`
}

function isScalar(value: Value): value is Scalar {
  return typeof value !== 'object'
}

/** Everything that XML 1.0 cannot hold in any way: control characters, lone surrogates and two that are no characters. */
const unspeakable = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** Most text has nothing to escape, and a page has tens of thousands of texts. */
const special = /[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd]/

function escapeText(text: string): string {
  if (!special.test(text)) return text
  return text
    .replace(unspeakable, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
}

const specialInAttribute = /[^\x20!#-%'-;=?-\ud7ff\ue000-\ufffd]/

/** Text as it stands in an attribute, where white space other than a blank would be read as a blank. */
export function attributeOf(text: string): string {
  if (!specialInAttribute.test(text)) return text
  return escapeText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')
}
