import { randomUUID } from 'node:crypto'
import { CodedError } from '../protocol/errors.ts'
import type { Station } from '../protocol/facts/listening.ts'
import type { Id } from '../protocol/ids.ts'
import { create, update } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { stations } from './facts.ts'
import type { Listening, Written } from './listening.ts'

type StationCalls = Pick<Listening, 'stations' | 'createStation' | 'changeStation' | 'removeStation'>

export function createStations({ store, index }: ListeningOptions): StationCalls {
  const ask = index.reader<typeof import('./queries.ts')>(new URL('./queries.ts', import.meta.url))

  async function replace(id: Id, after: Station | null, signal?: AbortSignal): Promise<Written<void>> {
    const change = (before: Station | null) => {
      if (before === null) throw new CodedError('NOT_FOUND', `radio station ${id}`)
      return after
    }
    const { revision } = await update(store, stations, id, change, signal)
    return { value: undefined, revision }
  }

  return {
    stations: (signal) => ask.stations(signal),
    async createStation(input, signal) {
      const station = { ...input, id: randomUUID() }
      const { revision } = await create(store, stations, station.id, station, signal)
      return { value: station, revision }
    },
    changeStation: (station, signal) => replace(station.id, station, signal),
    removeStation: (id, signal) => replace(id, null, signal),
  }
}
