import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import type { Index } from '../../index/index.ts'
import type { KnownShare, Listening, Written } from '../../listening/listening.ts'
import { type ShareSummary, shareChange, shareInput, shareSummary } from '../../protocol/api/listening.ts'
import { isCoded } from '../../protocol/errors.ts'
import { type ShareItem, shareToken } from '../../protocol/facts/listening.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { written } from '../freshness.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { shareAddress } from '../shares/opened.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

interface Parts {
  readonly catalog: Pick<Catalog, 'nameOf'>
  readonly listening: Listening
  readonly index: Pick<Index, 'waitFor'>
  readonly publicUrl: string | undefined
}

const tag = 'Shares'
const byToken = z.object({ token: shareToken })

/** What an account shares with everyone who has a link. */
export function shareRoutes(app: Api, { catalog, listening, index, publicUrl }: Parts): void {
  /** With the names of their first items. */
  async function summaries(
    request: FastifyRequest,
    shares: readonly KnownShare[],
    signal: AbortSignal,
  ): Promise<ShareSummary[]> {
    const viewer = viewerOf(request)
    const needsPlaylists = shares.some(({ items }) => items[0]?.kind === 'playlist')
    const playlists = needsPlaylists ? await listening.playlists(viewer, signal) : []
    const names = new Map(playlists.map(({ id, name }) => [id, name]))
    return shares.map(({ owner: _owner, ...share }) => {
      const [first] = share.items
      const name = first && nameOf(viewer, first, names)
      const url = shareAddress(request, publicUrl, share.token)
      return { ...share, url, ...(name !== undefined && { name }) }
    })
  }

  function nameOf(viewer: Viewer, { kind, id }: ShareItem, playlists: ReadonlyMap<Id, string>) {
    if (kind === 'playlist') return playlists.get(id)
    try {
      return catalog.nameOf(viewer, kind, id)
    } catch (error) {
      if (isCoded(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  /** Answers when the link does as it says: whoever gets it may follow it at once, and one that is taken back is dead. */
  async function inEffect<Value>(
    reply: FastifyReply,
    change: Written<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    await index.waitFor(change.revision, signal)
    return written(reply, change)
  }

  async function summary(request: FastifyRequest, share: KnownShare, signal: AbortSignal) {
    const [shown] = await summaries(request, [share], signal)
    if (shown === undefined) throw new Error('no summary of a share')
    return shown
  }

  app.get(
    '/api/shares',
    {
      schema: {
        operationId: 'listShares',
        summary: 'What this account shares, the newest first',
        tag,
        response: ok(z.object({ items: z.array(shareSummary) }), 'The shares'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      return { items: await summaries(request, await listening.shares(viewerOf(request), signal), signal) }
    },
  )

  app.post(
    '/api/shares',
    {
      schema: {
        operationId: 'createShare',
        summary: 'Make a link under which anyone hears these tracks, albums, artists and playlists',
        description: 'It shows what they hold when it is looked at, as far as this account sees it then.',
        tag,
        body: shareInput,
        response: made(shareSummary, 'The share, with its link'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const share = await listening.createShare(viewerOf(request), request.body, signal)
      return summary(request, await inEffect(reply.code(201), share, signal), signal)
    },
  )

  app.patch(
    '/api/shares/:token',
    {
      schema: {
        operationId: 'changeShare',
        summary: 'Describe a share, or let it end at another time',
        tag,
        params: byToken,
        body: shareChange,
        response: ok(shareSummary, 'The share as it is now'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const { token } = request.params
      const share = await listening.changeShare(viewerOf(request), token, request.body, signal)
      return summary(request, await inEffect(reply, share, signal), signal)
    },
  )

  app.delete(
    '/api/shares/:token',
    {
      schema: {
        operationId: 'deleteShare',
        summary: 'Take the link of a share back',
        tag,
        params: byToken,
        response: done('The link opens nothing any more'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const gone = await listening.removeShare(viewerOf(request), request.params.token, signal)
      return inEffect(reply.code(204), gone, signal)
    },
  )
}
