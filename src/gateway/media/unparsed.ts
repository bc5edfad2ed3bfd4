import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { OpenOriginal } from '../../media/originals.ts'
import { answer as answerTo } from '../../media/serve/answer.ts'
import { numberOf, sendRest } from '../../media/serve/send.ts'
import type { Metrics } from '../metrics.ts'
import { isLogged, type RequestNames } from '../requests.ts'
import { logCut } from './answer.ts'
import type { Held } from './held.ts'
import type { Known } from './known.ts'
import { isCurrent } from './tracks.ts'

/**
 * Ranges whose request need not be parsed: byte by byte it is one that was answered before, but for the numbers of its
 * range. Such an answer goes out at once and whole, or is left to those who can wait: of a file that is held open, of
 * blocks that may go past Node, to a socket that has room. ADR 0345.
 */
export interface Unparsed {
  /** What Node made of this text, and what is known of it. */
  remember(text: string, request: IncomingMessage, known: Known): void
  /** As `AnswerText` of `ahead.ts`. */
  answer(socket: Socket, text: string): boolean
  forget(): void
  /** Answers whose listeners take their time have ended. */
  ended(): Promise<unknown>
}

export interface UnparsedParts {
  /** Whether all that is known of the request holds now. */
  readonly holds: (known: Known) => boolean
  readonly held: Held
  readonly metrics: Pick<Metrics, 'streams' | 'answers'>
  readonly nameRequest: RequestNames
  readonly log: FastifyBaseLogger
  /** How long a connection stays on which nothing is asked. */
  readonly keepAliveSeconds: () => number
}

interface Entry {
  readonly known: Known
  readonly headers: IncomingMessage['headers']
  /** The headers of every answer, by what is answered from. */
  readonly fixed: WeakMap<OpenOriginal, string>
}

interface Asked {
  readonly first: number
  readonly last: number
  /** All but the two numbers, and where they stood: no request has a zero byte. */
  readonly key: string
}

/** How many texts are remembered. */
const most = 1_000
/** So many bytes the headers of an answer may have that goes out at once. */
const longestHead = 16_384
/** Of which so many may be those that all answers from a file have. */
const longestFixed = longestHead - 1_024

export function createUnparsed(parts: UnparsedParts): Unparsed {
  const { holds, held, metrics, nameRequest, log, keepAliveSeconds } = parts
  const { streams, answers } = metrics
  const entries = new Map<string, Entry>()
  const underWay = new Set<Promise<void>>()
  const headBytes = Buffer.allocUnsafeSlow(longestHead)
  let second = 0
  let date = ''

  function now(): string {
    const current = Math.floor(Date.now() / 1_000)
    if (current !== second) date = new Date(current * 1_000).toUTCString()
    second = current
    return date
  }

  function fixedOf(entry: Entry, original: OpenOriginal): string | null {
    const known = entry.fixed.get(original)
    if (known !== undefined) return known
    const { source, v, carried } = entry.known
    const options = { immutable: isCurrent(source, original, v) }
    const { status, headers } = answerTo({ method: 'GET', headers: entry.headers }, original, options)
    if (status !== 206) return null
    const lines = Object.entries({ ...carried, ...headers }).flatMap(([name, value]) =>
      value === undefined || own.includes(name) ? [] : [value].flat().map((each) => `${name}: ${each}\r\n`),
    )
    const fixed = lines.join('')
    entry.fixed.set(original, fixed)
    return fixed
  }

  /** All that an answer takes; null where it cannot be given at once. */
  function prepare(socket: Socket, text: string) {
    const asked = parse(text)
    const entry = asked === null ? undefined : entries.get(asked.key)
    if (asked === null || entry === undefined) return null
    const { known, headers } = entry
    if (known.remote !== socket.remoteAddress || isLogged(log, get) || !holds(known)) return null
    const found = held.find(known.source)
    const number = numberOf(socket)
    if (found === null || number === null || socket.writableLength > 0) return null
    const { original, share } = found
    const { size } = original
    const { first, last } = asked
    if (first > last || last >= size) return null
    const length = last + 1 - first
    const fixed = fixedOf(entry, original)
    const shortcut = original.shortcut?.(first, length) ?? null
    if (fixed === null || fixed.length > longestFixed || shortcut === null) return null
    return { known, headers, first, length, size, fixed, number, shortcut, share }
  }

  async function goOn(
    socket: Socket,
    share: OpenOriginal,
    { start, end, id }: { readonly start: number; readonly end: number; readonly id: string },
  ): Promise<void> {
    using stream = streams.begin(socket)
    // What is asked for next waits, and so does the end of a connection where nothing happens.
    const { timeout = 0 } = socket
    socket.pause().setTimeout(0)
    try {
      await sendRest(socket, share, { start, end }, stream.count)
    } catch (error) {
      logCut(log.child({ reqId: id }), error)
    }
    socket.setTimeout(timeout).resume()
  }

  return {
    remember(text, request, known) {
      const asked = parse(text)
      const { headers, rawHeaders } = request
      if (asked === null || !isUsual(request) || headers.range !== `bytes=${asked.first}-${asked.last}`)
        return
      if (rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'range').length > 1) return
      if (entries.size >= most) entries.clear()
      entries.set(asked.key, { known, headers, fixed: new WeakMap() })
    },

    answer(socket, text) {
      const ready = prepare(socket, text)
      if (ready === null) return false
      const { known, headers, first, length, size, fixed, number, shortcut, share } = ready
      const begin = performance.now()
      const id = nameRequest({ headers })
      const range = `content-length: ${length}\r\ncontent-range: bytes ${first}-${first + length - 1}/${size}\r\n`
      const kept = `Date: ${now()}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds()}\r\n`
      const head = `HTTP/1.1 206 Partial Content\r\n${fixed}x-request-id: ${id}\r\n${range}${kept}\r\n`
      // Past Node's streams as well: those would take half as long as all the rest.
      const sent = shortcut(number, headBytes.subarray(0, headBytes.write(head, 'latin1')))
      const record = () => {
        const milliseconds = performance.now() - begin
        answers.record({ ...get, route: known.route, milliseconds, bytes: head.length + length })
      }
      if (sent === head.length + length) {
        streams.passed()
        record()
        return true
      }
      if (sent < head.length) socket.write(head.slice(sent), 'latin1')
      const start = first + Math.max(0, sent - head.length)
      const rest = goOn(socket, share(), { start, end: first + length, id }).then(record)
      underWay.add(rest)
      void rest.finally(() => underWay.delete(rest))
      return true
    },

    forget: () => entries.clear(),
    ended: () => Promise.all(underWay),
  }
}

/** The headers that differ from one answer to the next. */
const own: readonly string[] = ['content-length', 'content-range', 'x-request-id']

const get = { method: 'GET', status: 206 } as const

/** Where a text asks for one range from one byte to another, which is what nearly every player does. */
function parse(text: string): Asked | null {
  const match = /^(GET .*?\r\nrange: bytes=)(\d{1,15})-(\d{1,15})(\r\n.*)$/is.exec(text)
  if (match === null) return null
  const [, before = '', first = '', last = '', after = ''] = match
  return { first: Number(first), last: Number(last), key: `${before}\0${after}` }
}

/** Whether the connection stays, and nothing but an answer is expected. */
function isUsual({ httpVersion, headers }: IncomingMessage): boolean {
  const { connection = 'keep-alive', expect, upgrade } = headers
  return (
    httpVersion === '1.1' &&
    connection.toLowerCase() === 'keep-alive' &&
    expect === undefined &&
    upgrade === undefined
  )
}
