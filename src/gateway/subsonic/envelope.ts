import { z } from 'zod'
import type { Content } from './content.ts'
import { Failure } from './failure.ts'
import { gathered, jsonPieces, type Piece, xmlPieces } from './flow.ts'
import { firstOf, type RawParameters } from './parameters.ts'
import { scriptOf } from './script.ts'
import { xmlHead, xmlOf } from './xml.ts'

/** The version of the API that is spoken here, as far as its number goes; the extensions say the rest. */
const apiVersion = '1.16.1'

export type Format =
  | { readonly name: 'xml' }
  | { readonly name: 'json' }
  | { readonly name: 'jsonp'; readonly callback: string }

/** Dotted identifiers, as programs make them up: nothing that could become another script. */
const callbackName = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/
const longestCallback = 200

/** How the answer is to be written. Failure 10 for a format that there is none of; it is then said in XML or JSON. */
export function formatOf(parameters: RawParameters): Format {
  const name = firstOf(parameters, 'f') || 'xml'
  if (name === 'xml' || name === 'json') return { name }
  if (name !== 'jsonp') throw new Failure(10, `The parameter 'f' is not valid: xml, json or jsonp`)
  const callback = firstOf(parameters, 'callback')
  if (callback === undefined) throw new Failure(10, `Required parameter 'callback' is missing`)
  if (callback.length > longestCallback || !callbackName.test(callback)) {
    throw new Failure(10, `The parameter 'callback' is not valid: not an identifier`)
  }
  return { name: 'jsonp', callback }
}

/** The format in which to say that there is no such format. */
export function nearestFormat(parameters: RawParameters): Format {
  return { name: z.enum(['json', 'jsonp']).safeParse(firstOf(parameters, 'f')).success ? 'json' : 'xml' }
}

export interface Written {
  readonly mediaType: string
  readonly body: string
}

/** An answer in its envelope: `ok` with its content, or `failed` with the error. */
export function write(
  format: Format,
  serverVersion: string,
  status: 'ok' | 'failed',
  content: Content,
): Written {
  const whole = wholeOf(format, serverVersion, status, content)
  const mediaType = mediaTypes[format.name]
  if (format.name === 'xml') return { mediaType, body: xmlOf('subsonic-response', whole) }
  const json = JSON.stringify({ 'subsonic-response': whole })
  if (format.name === 'json') return { mediaType, body: json }
  return { mediaType, body: `${format.callback}(${scriptOf(json)});\n` }
}

/** The same for content with parts that come only as they are asked for: see `flow.ts`. */
export function writePieces(
  format: Format,
  serverVersion: string,
  content: Content,
): { readonly mediaType: string; readonly body: AsyncGenerator<Piece> } {
  const whole = wholeOf(format, serverVersion, 'ok', content)
  return { mediaType: mediaTypes[format.name], body: gathered(piecesOf(format, whole)) }
}

async function* piecesOf(format: Format, whole: Content): AsyncGenerator<Piece> {
  if (format.name === 'xml') {
    yield xmlHead
    yield* xmlPieces('subsonic-response', whole)
    yield '\n'
  } else if (format.name === 'json') yield* jsonPieces({ 'subsonic-response': whole })
  else {
    yield `${format.callback}(`
    for await (const piece of jsonPieces({ 'subsonic-response': whole })) {
      yield typeof piece === 'string' ? scriptOf(piece) : piece
    }
    yield ');\n'
  }
}

const mediaTypes = {
  xml: 'application/xml; charset=utf-8',
  json: 'application/json; charset=utf-8',
  jsonp: 'text/javascript; charset=utf-8',
} as const satisfies Record<Format['name'], string>

function wholeOf(
  { name }: Format,
  serverVersion: string,
  status: 'ok' | 'failed',
  content: Content,
): Content {
  const envelope = { status, version: apiVersion, type: 'hocket', serverVersion, openSubsonic: true }
  return { ...(name === 'xml' && { xmlns: 'http://subsonic.org/restapi' }), ...envelope, ...content }
}
