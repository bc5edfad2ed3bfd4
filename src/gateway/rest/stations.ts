import { z } from 'zod'
import type { Listening } from '../../listening/listening.ts'
import { stationInput, stationView } from '../../protocol/api/listening.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Station } from '../../protocol/facts/listening.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { written } from '../freshness.ts'
import { createRadio, type RadioParts } from '../media/radio.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { viewerOf } from './catalog.ts'

interface Parts extends RadioParts {
  readonly listening: Pick<Listening, 'stations' | 'createStation' | 'changeStation' | 'removeStation'>
}

const tag = 'Radio'
const byId = z.object({ id })
const config = { administrator: true }

/** The station, or NOT_FOUND. */
export async function requireStation(
  listening: Pick<Listening, 'stations'>,
  station: Id,
  signal: AbortSignal,
): Promise<Station> {
  const found = (await listening.stations(signal)).find((each) => each.id === station)
  if (found === undefined) throw new CodedError('NOT_FOUND', `radio station ${station}`)
  return found
}

/** Internet radio: administrators keep the stations, everyone hears them through this server. */
export function stationRoutes(app: Api, { listening, ...parts }: Parts): void {
  const radio = createRadio(parts)

  app.get(
    '/api/stations',
    {
      schema: {
        operationId: 'listStations',
        summary: 'The radio stations, by their names',
        tag,
        response: ok(z.object({ items: z.array(stationView) }), 'The stations'),
      },
    },
    async (_request, reply) => ({ items: await listening.stations(signalOf(reply)) }),
  )

  app.post(
    '/api/stations',
    {
      config,
      schema: {
        operationId: 'createStation',
        summary: 'Add a radio station, for everyone',
        tag,
        body: stationInput,
        response: made(stationView, 'The station'),
      },
    },
    async (request, reply) =>
      written(reply.code(201), await listening.createStation(request.body, signalOf(reply))),
  )

  app.put(
    '/api/stations/:id',
    {
      config,
      schema: {
        operationId: 'changeStation',
        summary: 'Change a radio station',
        tag,
        params: byId,
        body: stationInput,
        response: ok(stationView, 'The station as it is now'),
      },
    },
    async (request, reply) => {
      const value = { ...request.body, id: request.params.id }
      const { revision } = await listening.changeStation(value, signalOf(reply))
      return written(reply, { value, revision })
    },
  )

  app.delete(
    '/api/stations/:id',
    {
      config,
      schema: {
        operationId: 'removeStation',
        summary: 'Remove a radio station',
        tag,
        params: byId,
        response: done('Removed'),
      },
    },
    async (request, reply) =>
      written(reply.code(204), await listening.removeStation(request.params.id, signalOf(reply))),
  )

  app.get(
    '/api/stations/:id/stream',
    {
      config: { takesPass: true },
      schema: {
        operationId: 'hearStation',
        summary: 'What a radio station sends now, without an end',
        description:
          'Fetched by this node and passed on as it comes. Lists of addresses (M3U, PLS) are followed.',
        tag,
        params: byId,
        response: { 200: { description: 'The stream', content: { 'audio/*': { schema: z.unknown() } } } },
      },
    },
    async (request, reply) => {
      const station = await requireStation(listening, request.params.id, signalOf(reply))
      await radio.send(request, reply, station, viewerOf(request).user)
    },
  )
}
