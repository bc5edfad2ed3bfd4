import { QueryClient } from '@tanstack/react-query'
import { createContext, useContext, useSyncExternalStore } from 'react'
import { type Api, createApi } from '../api/api.ts'
import { createApiClient } from '../api/client.ts'
import { createGateways, type Gateways } from '../api/gateways.ts'
import { RequestFailed } from '../api/problem.ts'
import { systemClock } from '../player/clock.ts'
import { connectMediaSession } from '../player/media-session.ts'
import { createPlaces, type Places } from '../player/places.ts'
import { playableOf } from '../player/playable.ts'
import { createPlayer } from '../player/player.ts'
import { createPlayReports, type PlayReports } from '../player/plays.ts'
import { currentEntry } from '../player/queue.ts'
import { type KeptQueue, type Remembered, rememberQueue } from '../player/remember.ts'
import { loadSettings, saveSettings } from '../player/settings.ts'
import type { Player, PlayerState } from '../player/state.ts'
import { createStore, type Store } from '../player/store.ts'
import { createMarks, type Marks } from './marks.ts'
import { randomId } from './random-id.ts'
import { createUploads, type Uploads } from './uploads.ts'
import { firstView, type View } from './view.ts'

/** Everything that lives as long as the page, made once by main.tsx. */
export interface Services {
  api: Api
  gateways: Gateways
  player: Player
  plays: PlayReports
  places: Places
  remembered: Remembered
  marks: Marks
  uploads: Uploads
  queries: QueryClient
  view: Store<View>
}

export function createServices(): Services {
  const view = createStore<View>(firstView)
  const gateways = createGateways({ fetch: (...asked) => fetch(...asked), home: location.origin })
  const api = createApi(createApiClient({ gateways, onSignedOut: () => view.set({ signedOut: true }) }))
  const queries = new QueryClient({
    defaultOptions: {
      // A browser that sees no network may have its server on the same machine; and who has none is told so.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        // The live connection may have survived what its requests have not.
        refetchOnReconnect: true,
        // The live connection says when something changed; time alone makes nothing stale.
        staleTime: 10 * 60_000,
        gcTime: 30 * 60_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => failures < 2 && isPassing(error),
      },
    },
  })
  const storage = window.localStorage
  const plays = createPlayReports({
    storage,
    clock: systemClock,
    newId: randomId,
    send: async (play) => {
      try {
        await api.reportPlay(play)
        return 'taken'
      } catch (error) {
        return isPassing(error) ? 'unreachable' : 'refused'
      }
    },
  })
  const places = createPlaces({ clock: systemClock, keep: api.keepPlace })
  const player = createPlayer({
    elements: [audio(), audio()],
    clock: systemClock,
    settings: loadSettings(storage),
    address: gateways.address,
    probe: (url) => probe(url, gateways),
    beginsAt: places.of,
    // Of podcasts and stations no plays are counted.
    onPlayed: (track) => track.kind !== undefined || plays.report(track.id),
  })
  places.follow(player.state)
  player.state.subscribe((now, before) => {
    const settings = settingsOf(now)
    if (JSON.stringify(settings) !== JSON.stringify(settingsOf(before))) saveSettings(storage, settings)
  })
  // Services that show what is played now hear of each song once; whether they do matters to nobody.
  let said: string | undefined
  player.state.subscribe(({ status, queue }) => {
    const track = status === 'playing' ? currentEntry(queue)?.track : undefined
    if (track === undefined || track.id === said || track.kind !== undefined) return
    said = track.id
    void api.reportPlaying(track.id).catch(() => undefined)
  })
  gateways.base.subscribe(() => player.relocate())
  if ('mediaSession' in navigator) connectMediaSession(player, navigator.mediaSession, gateways.address)
  const remembered = rememberQueue({
    player,
    clock: systemClock,
    load: () => loadQueue(api, places),
    save: (queue, basedOn, leaving) => saveQueue(api, { ...queue, basedOn }, leaving),
    onElsewhere: (device) => view.set({ queueElsewhere: device }),
  })
  const uploads = createUploads(gateways, () => void queries.invalidateQueries({ queryKey: ['albums'] }))
  const marks = createMarks(api, view)
  return { api, gateways, player, plays, places, remembered, marks, uploads, queries, view }
}

function settingsOf({ volume, muted, levelling, queue }: PlayerState) {
  return { volume, muted, levelling, repeat: queue.repeat, shuffled: queue.shuffled }
}

/** The queue with the episodes that stand in it, which its tracks do not name. */
async function loadQueue(api: Api, places: Places): Promise<KeptQueue> {
  const { tracks, items, episodes, ...rest } = await api.queue()
  places.learn(episodes)
  const byId = new Map(episodes.map((episode) => [episode.id, playableOf(episode)]))
  return { ...rest, items: tracks.map((id, at) => items[at] ?? byId.get(id) ?? null) }
}

async function saveQueue(
  api: Api,
  queue: Parameters<Api['saveQueue']>[0],
  leaving: boolean,
): Promise<number | 'conflict'> {
  try {
    return (await api.saveQueue(queue, leaving)).changedAt
  } catch (error) {
    if (error instanceof RequestFailed && error.problem.code === 'CONFLICT') return 'conflict'
    throw error
  }
}

/** Whether the same request may succeed a little later. */
function isPassing(error: unknown): boolean {
  return error instanceof RequestFailed && (error.problem.status === 0 || error.problem.status >= 500)
}

/** Bytes may come from another gateway, which is another site to the browser. */
function audio(): HTMLAudioElement {
  const element = new Audio()
  element.crossOrigin = 'anonymous'
  return element
}

/** The status that the address answers at whichever gateway is there; undefined where none is. */
async function probe(url: string, gateways: Gateways): Promise<number | undefined> {
  try {
    const request = new Request(new URL(url, location.href), { method: 'HEAD' })
    return (await gateways.fetch(request, AbortSignal.timeout(8_000))).status
  } catch {
    return undefined
  }
}

export const ServicesContext = createContext<Services | undefined>(undefined)

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (services === undefined) throw new Error('There is no ServicesContext above this component')
  return services
}

export function useApi(): Api {
  return useServices().api
}

export function useView<T>(select: (view: View) => T): T {
  const { view } = useServices()
  return useSyncExternalStore(view.subscribe, () => select(view.get()))
}
