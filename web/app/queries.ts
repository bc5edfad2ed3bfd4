import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { AlbumFilter, Api, TrackFilter } from '../api/api.ts'

/**
 * What is asked of the server, by name. The first word of each key is what live messages speak of, so that a change
 * makes stale exactly what shows it.
 */
export const welcomeQuery = (api: Api) =>
  queryOptions({
    queryKey: ['accounts', 'welcome'],
    queryFn: api.welcome,
    staleTime: Number.POSITIVE_INFINITY,
    // The screen that says so asks again by itself.
    retry: false,
  })

export const albumShelfQuery = (api: Api, filter: AlbumFilter, limit: number) =>
  queryOptions({
    queryKey: ['albums', 'shelf', filter, limit],
    queryFn: ({ signal }) => api.albums(filter, { limit }, signal),
  })
export const trackShelfQuery = (api: Api, filter: TrackFilter, limit: number) =>
  queryOptions({
    queryKey: ['albums', 'tracks', filter, limit],
    queryFn: ({ signal }) => api.tracks(filter, { limit }, signal),
  })
export const albumQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['albums', 'one', id], queryFn: () => api.album(id) })
export const artistQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['albums', 'artist', id], queryFn: () => api.artist(id) })
export const trackQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['albums', 'track', id], queryFn: () => api.track(id) })
export const genresQuery = (api: Api) => queryOptions({ queryKey: ['albums', 'genres'], queryFn: api.genres })
export const lettersQuery = (api: Api, list: 'albums' | 'artists') =>
  queryOptions({ queryKey: ['albums', 'letters', list], queryFn: () => api.letters(list) })
export const yearsQuery = (api: Api) => queryOptions({ queryKey: ['albums', 'years'], queryFn: api.years })
export const countsQuery = (api: Api) => queryOptions({ queryKey: ['albums', 'counts'], queryFn: api.counts })
export const folderQuery = (api: Api, library: string, path: string) =>
  queryOptions({ queryKey: ['albums', 'folder', library, path], queryFn: () => api.folder(library, path) })
export const lyricsQuery = (api: Api, track: string) =>
  queryOptions({ queryKey: ['albums', 'lyrics', track], queryFn: () => api.lyrics(track) })
export const searchQuery = (
  api: Api,
  q: string,
  sizes: { artists: number; albums: number; tracks: number },
) =>
  queryOptions({
    queryKey: ['albums', 'search', q, sizes],
    queryFn: ({ signal }) => api.search({ q, ...sizes }, signal),
    placeholderData: keepPreviousData,
    enabled: q.trim() !== '',
    gcTime: 60_000,
  })

export const playlistsQuery = (api: Api) =>
  queryOptions({ queryKey: ['playlists', 'all'], queryFn: api.playlists })
export const playlistQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['playlists', 'one', id], queryFn: () => api.playlist(id) })

export const librariesQuery = (api: Api) => queryOptions({ queryKey: ['libraries'], queryFn: api.libraries })
export const scanQuery = (api: Api) => queryOptions({ queryKey: ['scan'], queryFn: api.scanStatus })
export const serverFolderQuery = (api: Api, path: string | undefined) =>
  queryOptions({
    queryKey: ['server-folder', path],
    queryFn: () => api.serverFolder(path),
    placeholderData: keepPreviousData,
    staleTime: 0,
  })
export const sessionsQuery = (api: Api) =>
  queryOptions({ queryKey: ['accounts', 'sessions'], queryFn: api.sessions })
export const devicesQuery = (api: Api) =>
  queryOptions({ queryKey: ['accounts', 'devices'], queryFn: api.devices })
export const sharesQuery = (api: Api) =>
  // Those who open the links count, and nothing tells this page of them.
  queryOptions({ queryKey: ['shares'], queryFn: api.shares, staleTime: 0 })
export const connectionsQuery = (api: Api) =>
  // Deliveries go on by themselves, and nothing tells this page of them.
  queryOptions({
    queryKey: ['connections'],
    queryFn: api.connections,
    staleTime: 0,
    refetchInterval: 5_000,
  })
export const usersQuery = (api: Api) => queryOptions({ queryKey: ['accounts', 'users'], queryFn: api.users })
export const invitationsQuery = (api: Api) =>
  queryOptions({ queryKey: ['accounts', 'invitations'], queryFn: api.invitations })
export const clusterQuery = (api: Api) =>
  queryOptions({ queryKey: ['cluster'], queryFn: api.cluster, refetchInterval: 3_000, staleTime: 0 })
export const clusterEventsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['cluster', 'events'],
    queryFn: api.clusterEvents,
    refetchInterval: 5_000,
    staleTime: 0,
  })

export const podcastsQuery = (api: Api) =>
  queryOptions({ queryKey: ['podcasts', 'all'], queryFn: api.podcasts })
export const podcastQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['podcasts', 'one', id], queryFn: () => api.podcast(id) })

export const stationsQuery = (api: Api) => queryOptions({ queryKey: ['stations'], queryFn: api.stations })

export const statusQuery = (api: Api) =>
  queryOptions({ queryKey: ['status'], queryFn: api.status, refetchInterval: 5_000, staleTime: 0 })
