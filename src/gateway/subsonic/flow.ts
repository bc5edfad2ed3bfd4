import { type Content, type Flow, isFlow, isList, isWritten, text, type Written } from './content.ts'
import { elementOf, startOf } from './xml.ts'

/**
 * Answers that are as long as the library are written while they are read: a page at a time, as fast as the client
 * takes them, so that they cost no more memory than a page. Pages that the reader thread has written are passed on.
 */

/** Text, or text that was written elsewhere: its bytes. */
export type Piece = string | Uint8Array

/** Whether something in it comes only as it is asked for, or has been written already. */
export function flows(content: Content): boolean {
  return Object.values(content).some(
    (value) =>
      typeof value === 'object' && !isList(value) && (isFlow(value) || isWritten(value) || flows(value)),
  )
}

/** The content as JSON, in pieces. */
export async function* jsonPieces(content: Content): AsyncGenerator<Piece> {
  let before = '{'
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue
    yield `${before}${JSON.stringify(name)}:`
    before = ','
    if (typeof value !== 'object' || isList(value)) yield JSON.stringify(value)
    else if (isWritten(value)) yield value[text]
    else if (isFlow(value)) yield* jsonList(value)
    else if (flows(value)) yield* jsonPieces(value)
    else yield JSON.stringify(value)
  }
  yield before === '{' ? '{}' : '}'
}

async function* jsonList(flow: Flow): AsyncGenerator<Piece> {
  let before = '['
  for await (const items of flow) {
    for (const item of items) {
      yield before
      before = ','
      if (flows(item)) yield* jsonPieces(item)
      else yield JSON.stringify(item)
    }
  }
  yield before === '[' ? '[]' : ']'
}

/** The content as an element of that name, in pieces. */
export async function* xmlPieces(name: string, content: Content): AsyncGenerator<Piece> {
  const whole: [string, Content[string]][] = []
  const parts: [string, Content | Flow | Written][] = []
  for (const [part, value] of Object.entries(content)) {
    if (typeof value !== 'object' || isList(value)) whole.push([part, value])
    else if (isFlow(value) || isWritten(value) || flows(value)) parts.push([part, value])
    else whole.push([part, value])
  }
  yield startOf(name, Object.fromEntries(whole))
  for (const [part, value] of parts) {
    if (isWritten(value)) yield value[text]
    else if (!isFlow(value)) yield* xmlPieces(part, value)
    else for await (const items of value) for (const item of items) yield* xmlItem(part, item)
  }
  yield `</${name}>`
}

async function* xmlItem(name: string, item: Content): AsyncGenerator<Piece> {
  if (flows(item)) yield* xmlPieces(name, item)
  else yield elementOf(name, item)
}

/** Characters that go to the socket at once. */
const pieceSize = 16_384

/** The same in fewer pieces. */
export async function* gathered(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  let text = ''
  for await (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    if (typeof piece === 'string' && text.length < pieceSize) continue
    if (text !== '') yield text
    text = ''
    if (typeof piece !== 'string') yield piece
  }
  if (text !== '') yield text
}
