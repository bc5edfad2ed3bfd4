import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { throttled } from '../../accounts/throttle.ts'
import type { Fetch, Fetched } from '../../outward/fetch.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Station } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Metrics } from '../metrics.ts'
import { goneSignalOf } from '../signal.ts'
import { takeOver } from './answer.ts'
import { createTurns } from './turns.ts'

/**
 * Internet radio on its way to a page, which may load nothing from elsewhere: what comes is passed on as it comes, over one
 * connection for each listener, and nothing of it is kept.
 */
export interface Radio {
  /** Answers with the stream. STATION_UNPLAYABLE, SERVICE_UNAVAILABLE, ADDRESS_FORBIDDEN, TOO_MANY_REQUESTS. */
  send(request: FastifyRequest, reply: FastifyReply, station: Station, listener: Id): Promise<void>
}

export interface RadioParts {
  readonly fetch: Fetch
  readonly streams: Metrics['streams']
}

/** Streams that one account hears, and that all do, through this node. */
const mostEach = 4
const mostTogether = 100
/** Whoever listens longer is connected anew by the player. In milliseconds; silence ends it much sooner. */
const longestMs = 12 * 3_600_000
/** Lists of addresses that lead to the stream: as many after one another, and so large. */
const mostLists = 3
const mostListBytes = 64 * 1_024
const busySeconds = 30

export function createRadio({ fetch, streams }: RadioParts): Radio {
  const begin = createTurns({ each: mostEach, together: mostTogether, full: () => throttled(busySeconds) })

  return {
    async send(request, reply, station, listener) {
      using _turn = begin(listener)
      const signal = goneSignalOf(reply)
      using found = await openStation(fetch, station, signal)
      const response = takeOver(reply)
      response.setHeader('content-type', mediaTypeOf(found))
      if (request.method === 'HEAD') return void response.end()
      using _stream = streams.begin(request.raw.socket)
      try {
        await pipeline(Readable.from(found.bytes), response, { signal })
      } catch (err) {
        request.log.debug({ err }, 'a station was heard no longer')
      }
    },
  }
}

/**
 * Follows lists of addresses until there is audio. Administrators name stations, in the network of the house too; where
 * a station leads on to lies outside, unless it lies where the station does.
 */
async function openStation(fetch: Fetch, station: Station, signal: AbortSignal): Promise<Fetched> {
  const { host } = new URL(station.streamUrl)
  const reach = (target: URL) => ({ mayInside: target.host === host, mayPlain: true })
  let url = station.streamUrl
  for (let lists = 0; lists <= mostLists; lists += 1) {
    const limits = { mostBytes: Number.MAX_SAFE_INTEGER, deadlineMs: longestMs }
    const found = await fetch({ url, reach, ...limits }, signal)
    try {
      if (found.status !== 200) {
        throw new CodedError('SERVICE_UNAVAILABLE', `the station answered ${found.status}`)
      }
      const type = mediaTypeOf(found)
      if (!isList(type)) {
        if (!isAudio(type))
          throw unplayable(`it sends ${type === '' ? 'nothing that says what it is' : type}`)
        return found
      }
      url = addressIn(await readList(found), found.url)
      found[Symbol.dispose]()
    } catch (error) {
      found[Symbol.dispose]()
      throw error
    }
  }
  throw unplayable('one list of addresses leads to another')
}

const unplayable = (detail: string) => new CodedError('STATION_UNPLAYABLE', detail)

const mediaTypeOf = ({ header }: Fetched) =>
  (header('content-type')?.split(';', 1)[0] ?? '').trim().toLowerCase()
const isList = (type: string) =>
  /^(?:audio|application)\/(?:x-)?(?:vnd\.apple\.)?(?:mpegurl|scpls|pls\+xml)$/.test(type)
const isAudio = (type: string) => /^audio\/[\w.+-]{1,60}$/.test(type) || type === 'application/ogg'

/** The beginning of it: a stream that calls itself a list has no end. */
async function readList({ bytes }: Fetched): Promise<string> {
  const pieces: Uint8Array[] = []
  let read = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    read += piece.length
    if (read > mostListBytes) throw unplayable('its list of addresses is too long')
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** The first address of an M3U or PLS file. */
function addressIn(list: string, base: string): string {
  // Its pieces would each have to be asked for, by a page that may not.
  if (list.includes('#EXT-X-')) throw unplayable('it sends HLS')
  const lines = list.split(/\r?\n/).map((line) => line.trim().replace(/^File\d+=/i, ''))
  const line = lines.find((each) => /^https?:\/\//i.test(each))
  const url = line === undefined ? null : URL.parse(line, base)
  if (url === null) throw unplayable('its list names no address')
  return url.href
}
