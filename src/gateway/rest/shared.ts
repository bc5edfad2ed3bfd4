import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Accounts } from '../../accounts/accounts.ts'
import { addressGroup } from '../../accounts/throttle.ts'
import { createBreather } from '../../catalog/breathe.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Listening, ShareContent, SharedItem } from '../../listening/listening.ts'
import type { TrackSummary } from '../../protocol/api/catalog.ts'
import { type SharedMusic, sharedMusic } from '../../protocol/api/listening.ts'
import { CodedError } from '../../protocol/errors.ts'
import { type Share, shareItem } from '../../protocol/facts/listening.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { takeOver } from '../media/answer.ts'
import { sendMade, sendStored } from '../media/audio.ts'
import { sendCover } from '../media/pictures.ts'
import type { Renditions } from '../media/renditions.ts'
import type { Tracks } from '../media/tracks.ts'
import type { Metrics } from '../metrics.ts'
import { bytes, ok } from '../openapi/operation.ts'
import { createAllowance } from '../shares/allowance.ts'
import { createShares, type OpenShare } from '../shares/opened.ts'
import { createVisits } from '../shares/visits.ts'
import { signalOf } from '../signal.ts'
import { coverSize, version } from './media.ts'

interface Parts {
  readonly accounts: Pick<Accounts, 'user'>
  readonly catalog: Catalog
  readonly listening: Listening
  readonly tracks: Pick<Tracks, 'open'>
  readonly renditions: Renditions
  readonly streams: Metrics['streams']
}

const tag = 'Shares'
const token = z.string().min(1).max(200).describe('The end of the link of a share')
const ofTrack = z.object({ token, id })

/** kbit/s: what the player of the page asks for, and nothing else, so that strangers cannot fill the cache. */
const bitrates = { opus: 160, mp3: 256 } as const

/**
 * What the page of a share is made of, for whoever has the link: no account is needed, and nothing else is had. Every
 * answer asks robots to stay away.
 */
export function sharedRoutes(app: Api, parts: Parts): void {
  const { catalog, listening } = parts
  const shares = createShares(parts)
  const visits = createVisits(listening, (err) => app.log.warn({ err }, 'a visit could not be counted'))
  app.addHook('onClose', () => visits[Symbol.asyncDispose]())
  /** Of one address: the page of a long playlist with all of its covers, and its music in small ranges. */
  const requests = createAllowance({ atOnce: 1_200, perMinute: 600 }, Date.now)
  /** What a share holds is looked up anew for each page, and may be long. */
  const pages = createAllowance({ atOnce: 300, perMinute: 60 }, Date.now)
  /** Conversions cost processor time, which the people of this server need as well. */
  const conversions = createAllowance({ atOnce: 30, perMinute: 20 }, Date.now)

  function open(request: FastifyRequest, reply: FastifyReply, presented: string): OpenShare {
    reply.header('x-robots-tag', 'noindex, nofollow')
    requests.take(addressGroup(request.ip))
    return shares.open(presented, request.ip)
  }

  /** What is needed to play a track of a share; NOT_FOUND for every other. */
  async function sourceOf(opened: OpenShare, track: Id, signal: AbortSignal) {
    if (!(await shares.holds(opened, track, signal))) throw new CodedError('NOT_FOUND', `track ${track}`)
    return catalog.source(opened.sharer, track)
  }

  app.get(
    '/api/shares/:token',
    {
      schema: {
        operationId: 'readSharedMusic',
        summary: 'What the link of a share shows, to anyone who has it',
        tag,
        params: z.object({ token }),
        response: ok(sharedMusic, 'The music as it is now'),
      },
    },
    async (request, reply) => {
      const opened = open(request, reply, request.params.token)
      pages.take(addressGroup(request.ip))
      const content = await shares.content(opened, signalOf(reply))
      if (request.method === 'GET') visits.count(opened.share.token)
      await sendMusic(request, reply, opened, content)
    },
  )

  app.get(
    '/api/shares/:token/tracks/:id/audio',
    {
      schema: {
        operationId: 'readSharedAudio',
        summary: 'The file of a shared track as it is stored',
        description: 'With Range, If-Range, ETag and HEAD as in RFC 9110.',
        tag,
        params: ofTrack,
        querystring: z.object({ v: version }),
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const opened = open(request, reply, request.params.token)
      const source = await sourceOf(opened, request.params.id, signalOf(reply))
      await sendStored(parts, request, reply, source, { v: request.query.v })
    },
  )

  app.get(
    '/api/shares/:token/tracks/:id/transcode',
    {
      schema: {
        operationId: 'transcodeShared',
        summary: 'A shared track for browsers that cannot play its file',
        tag,
        params: ofTrack,
        querystring: z.object({
          format: z.enum(['opus', 'mp3']).default('opus').describe('At 160 and 256 kbit/s'),
          offsetMs: z.coerce.number().int().min(0).default(0).describe('Where to begin'),
          v: version,
        }),
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const { format, offsetMs, v } = request.query
      const opened = open(request, reply, request.params.token)
      const source = await sourceOf(opened, request.params.id, signalOf(reply))
      conversions.take(addressGroup(request.ip))
      await sendMade(parts, request, reply, source, { format, bitrateKbps: bitrates[format], offsetMs, v })
    },
  )

  app.get(
    '/api/shares/:token/covers/:kind/:id',
    {
      schema: {
        operationId: 'readSharedCover',
        summary: 'A picture of a shared track, album, artist or playlist',
        tag,
        params: shareItem.extend({ token }),
        querystring: z.object({ size: coverSize, v: version }),
        response: bytes(['image/*'], 'The picture'),
      },
    },
    async (request, reply) => {
      const { kind, id } = request.params
      const opened = open(request, reply, request.params.token)
      if (kind === 'track') await sourceOf(opened, id, signalOf(reply))
      else if (!opened.share.items.some((item) => item.kind === kind && item.id === id)) {
        throw new CodedError('NOT_FOUND', `${kind} ${id}`)
      }
      await sendCover(parts, request, reply, opened.sharer, { kind, id, ...sizeAndVersion(request.query) })
    },
  )
}

function sizeAndVersion({ size, v }: { size?: number | undefined; v?: string | undefined }) {
  return { size, v }
}

/** Tracks that are written at once. */
const pieceTracks = 200

/**
 * Answers in pieces, past Fastify's own sending: a shared playlist may have 20,000 tracks, which take a quarter of a
 * second to check and write, and strangers ask for them on the thread that serves audio.
 */
async function sendMusic(
  request: FastifyRequest,
  reply: FastifyReply,
  { share }: OpenShare,
  { items, tracks }: ShareContent,
): Promise<void> {
  const head = JSON.stringify(headOf(share, items))
  const response = takeOver(reply)
  response.setHeader('content-type', 'application/json; charset=utf-8')
  try {
    await pipeline(Readable.from(piecesOf(head, tracks)), response)
  } catch (err) {
    request.log.debug({ err }, 'the page of a share was not read to its end')
  }
}

async function* piecesOf(head: string, tracks: readonly TrackSummary[]): AsyncGenerator<string> {
  const breathe = createBreather()
  yield `${head.slice(0, -1)},"tracks":[`
  for (let at = 0; at < tracks.length; at += pieceTracks) {
    await breathe()
    // What the owner says of the music is theirs.
    const piece = tracks.slice(at, at + pieceTracks).map((track) => ({ ...track, mark: { playCount: 0 } }))
    yield (at === 0 ? '' : ',') + JSON.stringify(piece).slice(1, -1)
  }
  yield ']}'
}

function headOf(
  { description, expiresAt }: Share,
  items: readonly SharedItem[],
): Omit<SharedMusic, 'tracks'> {
  const [first] = items
  if (first === undefined) throw new CodedError('SHARE_ENDED')
  const { kind, id, name, artist, year, cover } = first
  return {
    kind: items.length > 1 ? 'mixed' : kind,
    name,
    ...(artist !== undefined && { artist }),
    ...(year !== undefined && { year }),
    ...(description !== undefined && { description }),
    ...(expiresAt !== undefined && { expiresAt }),
    cover: { kind, id, version: cover },
  }
}
