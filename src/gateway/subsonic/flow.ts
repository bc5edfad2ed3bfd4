import { type Content, type Flow, isFlow, isList, isWritten } from './content.ts'
import { jsonOf } from './json.ts'
import { elementOf, startOf } from './xml.ts'

/**
 * Answers that are as long as the library are written while they are read: a page at a time, as fast as the client
 * takes them, so that they cost no more memory than a page.
 */

/** Whether something in it comes only as it is asked for. */
export function flows(content: Content): boolean {
  return Object.values(content).some(
    (value) =>
      typeof value === 'object' && !isList(value) && !isWritten(value) && (isFlow(value) || flows(value)),
  )
}

/** The content as JSON, in pieces. */
export async function* jsonPieces(content: Content): AsyncGenerator<string> {
  let before = '{'
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue
    yield `${before}${JSON.stringify(name)}:`
    before = ','
    if (typeof value !== 'object' || isList(value) || isWritten(value)) yield jsonOf(value)
    else if (isFlow(value)) yield* jsonList(value)
    else if (flows(value)) yield* jsonPieces(value)
    else yield jsonOf(value)
  }
  yield before === '{' ? '{}' : '}'
}

async function* jsonList(flow: Flow): AsyncGenerator<string> {
  let before = '['
  for await (const items of flow) {
    for (const item of items) {
      yield before
      before = ','
      if (flows(item)) yield* jsonPieces(item)
      else yield jsonOf(item)
    }
  }
  yield before === '[' ? '[]' : ']'
}

/** The content as an element of that name, in pieces. */
export async function* xmlPieces(name: string, content: Content): AsyncGenerator<string> {
  const whole: [string, Content[string]][] = []
  const parts: [string, Content | Flow][] = []
  for (const [part, value] of Object.entries(content)) {
    if (typeof value !== 'object' || isList(value) || isWritten(value)) whole.push([part, value])
    else if (isFlow(value) || flows(value)) parts.push([part, value])
    else whole.push([part, value])
  }
  yield startOf(name, Object.fromEntries(whole))
  for (const [part, value] of parts) {
    if (!isFlow(value)) yield* xmlPieces(part, value)
    else for await (const items of value) for (const item of items) yield* xmlItem(part, item)
  }
  yield `</${name}>`
}

async function* xmlItem(name: string, item: Content): AsyncGenerator<string> {
  if (flows(item)) yield* xmlPieces(name, item)
  else yield elementOf(name, item)
}

/** Characters that go to the socket at once. */
const pieceSize = 16_384

/** The same text in fewer pieces. */
export async function* gathered(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length < pieceSize) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}
