import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Index } from '../../index/index.ts'
import type { Listening } from '../../listening/listening.ts'
import { feedAddress } from '../../podcasts/names.ts'
import type { KnownEpisode, Podcasts } from '../../podcasts/podcasts.ts'
import {
  episodeQuery,
  episodeSummary,
  type PodcastSummary,
  placeInput,
  podcastInput,
  podcastSummary,
} from '../../protocol/api/podcasts.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { written } from '../freshness.ts'
import { type AudioParts, sendMade, sendStored } from '../media/audio.ts'
import { sourceOfEpisode } from '../media/episodes.ts'
import { bytes, done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'
import { stored, transcoded } from './media.ts'
import { placesOf, summaryOfEpisode, summaryOfPodcast } from './podcast-views.ts'

interface Parts extends AudioParts {
  readonly podcasts: Podcasts
  readonly listening: Pick<Listening, 'bookmarks' | 'setBookmark' | 'removeBookmark'>
  readonly index: Pick<Index, 'waitFor' | 'revision'>
}

const tag = 'Podcasts'
const byId = z.object({ id })
const config = { administrator: true }

/** Podcasts: administrators keep them for everyone, everyone hears what was downloaded. */
export function podcastRoutes(app: Api, parts: Parts): void {
  channelRoutes(app, parts)
  episodeRoutes(app, parts)
  audioRoutes(app, parts)
}

function channelRoutes(app: Api, { podcasts, index }: Parts): void {
  async function summary(channel: Id, signal: AbortSignal): Promise<PodcastSummary> {
    const found = (await podcasts.channels(signal)).find((each) => each.id === channel)
    if (found === undefined) throw new CodedError('NOT_FOUND', `podcast ${channel}`)
    return summaryOfPodcast(found)
  }

  app.get(
    '/api/podcasts',
    {
      schema: {
        operationId: 'listPodcasts',
        summary: 'The podcasts, by their titles',
        tag,
        response: ok(z.object({ items: z.array(podcastSummary) }), 'The podcasts'),
      },
    },
    async (_request, reply) => ({ items: (await podcasts.channels(signalOf(reply))).map(summaryOfPodcast) }),
  )

  app.post(
    '/api/podcasts',
    {
      config,
      schema: {
        operationId: 'subscribe',
        summary: 'Subscribe to a podcast, for everyone; its feed is read soon',
        description: 'The same podcast where it is subscribed to already.',
        tag,
        body: podcastInput,
        response: made(podcastSummary, 'The podcast'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const found = feedAddress(request.body.url)
      if ('wrong' in found) throw new CodedError('BAD_REQUEST', `url: ${found.wrong}`)
      const { value, revision } = await podcasts.subscribe(viewerOf(request).user, found.url, signal)
      await index.waitFor(revision, signal)
      return written(reply.code(201), { value: await summary(value, signal), revision })
    },
  )

  app.post(
    '/api/podcasts/refresh',
    {
      config,
      schema: {
        operationId: 'refreshPodcasts',
        summary: 'Look for new episodes of all podcasts now',
        tag,
        response: done('They are being looked for'),
      },
    },
    async (_request, reply) => written(reply.code(204), await podcasts.refresh(signalOf(reply))),
  )

  app.get(
    '/api/podcasts/:id',
    {
      schema: {
        operationId: 'readPodcast',
        summary: 'A podcast',
        tag,
        params: byId,
        response: ok(podcastSummary, 'The podcast'),
      },
    },
    (request, reply) => summary(request.params.id, signalOf(reply)),
  )

  app.delete(
    '/api/podcasts/:id',
    {
      config,
      schema: {
        operationId: 'unsubscribe',
        summary: 'End a subscription; its episodes go with it, and what was downloaded of them',
        tag,
        params: byId,
        response: done('Ended'),
      },
    },
    async (request, reply) =>
      written(reply.code(204), await podcasts.unsubscribe(request.params.id, signalOf(reply))),
  )
}

/** The episode, or NOT_FOUND. */
function requireEpisode(podcasts: Podcasts, episode: Id): KnownEpisode {
  const found = podcasts.episode(episode)
  if (found === null) throw new CodedError('NOT_FOUND', `podcast episode ${episode}`)
  return found
}

function episodeRoutes(app: Api, { podcasts, listening, index }: Parts): void {
  /** An episode after it was changed, as the viewer has it. */
  async function changed(
    request: FastifyRequest,
    reply: FastifyReply,
    { episode, revision }: { readonly episode: Id; readonly revision: number },
  ) {
    const signal = signalOf(reply)
    await index.waitFor(revision, signal)
    const places = await placesOf(listening, viewerOf(request), signal)
    const value = summaryOfEpisode(requireEpisode(podcasts, episode), places.get(episode))
    return written(reply, { value, revision })
  }

  app.get(
    '/api/episodes',
    {
      schema: {
        operationId: 'listEpisodes',
        summary: 'Episodes of a podcast, or of all, the newest first',
        tag,
        querystring: episodeQuery,
        response: ok(z.object({ items: z.array(episodeSummary), total: z.int() }), 'A part of them'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const { podcast: channel, ...part } = request.query
      const [{ items, total }, places] = await Promise.all([
        podcasts.episodes({ channel, ...part }, signal),
        placesOf(listening, viewerOf(request), signal),
      ])
      return { items: items.map((each) => summaryOfEpisode(each, places.get(each.id))), total }
    },
  )

  app.get(
    '/api/episodes/:id',
    {
      schema: {
        operationId: 'readEpisode',
        summary: 'An episode',
        tag,
        params: byId,
        response: ok(episodeSummary, 'The episode'),
      },
    },
    async (request, reply) => {
      const found = requireEpisode(podcasts, request.params.id)
      const places = await placesOf(listening, viewerOf(request), signalOf(reply))
      return summaryOfEpisode(found, places.get(found.id))
    },
  )

  app.put(
    '/api/episodes/:id/download',
    {
      config,
      schema: {
        operationId: 'downloadEpisode',
        summary: 'Download an episode, for everyone',
        tag,
        params: byId,
        response: ok(episodeSummary, 'The episode, which is on its way or here'),
      },
    },
    async (request, reply) => {
      const { id: episode } = request.params
      const { revision } = await podcasts.download(episode, signalOf(reply))
      return changed(request, reply, { episode, revision })
    },
  )

  app.delete(
    '/api/episodes/:id/download',
    {
      config,
      schema: {
        operationId: 'removeEpisodeDownload',
        summary: 'Remove what was downloaded of an episode, or stop downloading it',
        tag,
        params: byId,
        response: ok(episodeSummary, 'The episode, which stays in the list'),
      },
    },
    async (request, reply) => {
      const { id: episode } = request.params
      const { revision } = await podcasts.discard(episode, signalOf(reply))
      return changed(request, reply, { episode, revision })
    },
  )

  app.put(
    '/api/episodes/:id/place',
    {
      schema: {
        operationId: 'keepPlace',
        summary: 'Keep where this account goes on in an episode, on every device',
        description: 'A bookmark in apps that speak Subsonic.',
        tag,
        params: byId,
        body: placeInput,
        response: done('Kept'),
      },
    },
    async (request, reply) => {
      const { id: episode } = requireEpisode(podcasts, request.params.id)
      const [viewer, signal] = [viewerOf(request), signalOf(reply)]
      const { positionMs } = request.body
      const keeping =
        positionMs > 0
          ? listening.setBookmark(viewer, episode, { positionMs }, signal)
          : listening.removeBookmark(viewer, episode, signal).catch((error: unknown) => {
              if (!isCoded(error, 'NOT_FOUND')) throw error
              return { value: undefined, revision: index.revision }
            })
      return written(reply.code(204), await keeping)
    },
  )
}

/** Only what was downloaded: nothing is passed through from outside. */
function audioRoutes(app: Api, parts: Parts): void {
  function requireSource(episode: Id) {
    const source = sourceOfEpisode(requireEpisode(parts.podcasts, episode))
    if (source === null) throw new CodedError('NOT_FOUND', `episode ${episode} has not been downloaded`)
    return source
  }

  app.get(
    '/api/episodes/:id/audio',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'readEpisodeAudio',
        summary: "An episode's file as it was downloaded",
        description: 'With Range, If-Range, ETag and HEAD as in RFC 9110.',
        tag,
        params: byId,
        querystring: stored,
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const source = requireSource(request.params.id)
      const { v, download } = request.query
      const downloadAs = download === undefined ? undefined : `${source.title}.${source.suffix}`
      await sendStored(parts, request, reply, source, { v, downloadAs })
    },
  )

  app.get(
    '/api/episodes/:id/transcode',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'transcodeEpisode',
        summary: 'An episode in another format or bitrate',
        tag,
        params: byId,
        querystring: transcoded,
        response: bytes(['audio/*'], 'The bytes'),
      },
    },
    async (request, reply) => {
      const { format, bitrate, offsetMs, v } = request.query
      const source = requireSource(request.params.id)
      await sendMade(parts, request, reply, source, { format, bitrateKbps: bitrate, offsetMs, v })
    },
  )
}
