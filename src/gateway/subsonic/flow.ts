import {
  type Content,
  type Flow,
  isFlow,
  isList,
  isWritten,
  type Scalar,
  text,
  type Value,
  type Written,
} from './content.ts'
import { elementOf, startOf, textElement } from './xml.ts'

/**
 * Answers that are as long as the library are written while they are read: a page at a time, as fast as the client
 * takes them, so that they cost no more memory than a page. Pages that the reader thread has written are passed on.
 */

/** Text, or text that was written elsewhere: its bytes. */
export type Piece = string | Uint8Array

/** Whether something in it comes only as it is asked for. */
export function flows(content: Content): boolean {
  return hasPart(content, isFlow)
}

/** Whether something in it comes only as it is asked for, or has been written already. */
export function isInPieces(content: Content): boolean {
  return hasPart(content, isPart)
}

function isPart(value: Content | Flow | Written): boolean {
  return isFlow(value) || isWritten(value)
}

function hasPart(content: Content, is: (value: Content | Flow | Written) => boolean): boolean {
  return Object.values(content).some((value) => {
    if (typeof value !== 'object') return false
    if (isList(value)) return value.some((item) => typeof item === 'object' && hasPart(item, is))
    return is(value) || (!isFlow(value) && !isWritten(value) && hasPart(value, is))
  })
}

/** The content as JSON, in pieces. */
export async function* jsonPieces(content: Content): AsyncGenerator<Piece> {
  let before = '{'
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue
    yield `${before}${JSON.stringify(name)}:`
    before = ','
    if (typeof value !== 'object') yield JSON.stringify(value)
    else if (isList(value)) yield* jsonList([value])
    else if (isWritten(value)) yield* jsonList([value])
    else if (isFlow(value)) yield* jsonList(value)
    else if (isInPieces(value)) yield* jsonPieces(value)
    else yield JSON.stringify(value)
  }
  yield before === '{' ? '{}' : '}'
}

type Run = readonly (Scalar | Content)[] | Written

async function* jsonList(runs: AsyncIterable<Run> | Iterable<Run>): AsyncGenerator<Piece> {
  let before = '['
  for await (const run of runs) {
    for (const item of isList(run) ? run : run[text]) {
      yield before
      before = ','
      if (item instanceof Uint8Array) yield item
      else if (typeof item === 'object' && isInPieces(item)) yield* jsonPieces(item)
      else yield JSON.stringify(item)
    }
  }
  yield before === '[' ? '[]' : ']'
}

/** The content as an element of that name, in pieces. */
export async function* xmlPieces(name: string, content: Content): AsyncGenerator<Piece> {
  const whole: [string, Content[string]][] = []
  const parts: [string, Exclude<Value, Scalar>][] = []
  for (const [part, value] of Object.entries(content)) {
    if (typeof value !== 'object' || !hasPart({ value }, isPart)) whole.push([part, value])
    else parts.push([part, value])
  }
  yield startOf(name, Object.fromEntries(whole))
  for (const [part, value] of parts) {
    if (isList(value) || isWritten(value)) yield* xmlList(part, [value])
    else if (isFlow(value)) yield* xmlList(part, value)
    else yield* xmlPieces(part, value)
  }
  yield `</${name}>`
}

async function* xmlList(name: string, runs: AsyncIterable<Run> | Iterable<Run>): AsyncGenerator<Piece> {
  for await (const run of runs) {
    for (const item of isList(run) ? run : run[text]) {
      if (item instanceof Uint8Array) yield item
      else if (typeof item !== 'object') yield textElement(name, item)
      else if (isInPieces(item)) yield* xmlPieces(name, item)
      else yield elementOf(name, item)
    }
  }
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
