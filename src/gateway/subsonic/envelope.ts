import { z } from 'zod'
import type { Content } from './content.ts'
import { Failure } from './failure.ts'
import { firstOf, type RawParameters } from './parameters.ts'
import { xmlOf } from './xml.ts'

/** The version of the API that is spoken here, as far as its number goes; the extensions say the rest. */
export const apiVersion = '1.16.1'

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
  const envelope = { status, version: apiVersion, type: 'hocket', serverVersion, openSubsonic: true }
  if (format.name === 'xml') {
    const body = xmlOf('subsonic-response', { xmlns: 'http://subsonic.org/restapi', ...envelope, ...content })
    return { mediaType: 'application/xml; charset=utf-8', body }
  }
  const json = JSON.stringify({ 'subsonic-response': { ...envelope, ...content } })
  if (format.name === 'json') return { mediaType: 'application/json; charset=utf-8', body: json }
  // Two characters that JSON may hold and older scripts may not.
  const script = json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  return { mediaType: 'text/javascript; charset=utf-8', body: `${format.callback}(${script});\n` }
}
