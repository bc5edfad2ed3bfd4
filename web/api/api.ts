import type { Client } from 'openapi-fetch'
import type { NodeChange, SettingsChange } from '../../src/protocol/api/cluster.ts'
import type { MarkKind, Rules } from '../../src/protocol/facts/listening.ts'
import { answer } from './client.ts'
import type { components, paths } from './schema.d.ts'

type Schemas = components['schemas']
type QueryOf<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? NonNullable<Query>
  : never

export type PlaylistDetail = Schemas['PlaylistDetail']

/** What a list is asked for, without the place in it. */
export type AlbumFilter = Omit<QueryOf<'/api/albums'>, keyof Place | 'cursor'>
export type TrackFilter = Omit<QueryOf<'/api/tracks'>, keyof Place | 'cursor'>
export type ArtistFilter = Omit<QueryOf<'/api/artists'>, keyof Place | 'cursor'>
export interface Place {
  offset?: number
  limit: number
}

/** `/api` as the player uses it. Every call answers what the document says or throws `RequestFailed`. */
export type Api = ReturnType<typeof createApi>

/** Ids that fit into the 64 KiB of a request that outlives its page. */
const mostOutliving = 1_500

export function createApi(client: Client<paths>) {
  const { GET, POST, PUT, PATCH, DELETE } = client
  const by = (id: string) => ({ params: { path: { id } } })
  const listed = <F extends object, P extends object>(
    filter: F,
    place: P,
    signal: AbortSignal | undefined,
  ) => ({
    params: { query: { ...filter, ...place } },
    ...(signal && { signal }),
  })

  return {
    welcome: () => answer(GET('/api/welcome')),
    setUp: (body: Schemas['SetupInput']) => answer(POST('/api/setup', { body })),
    signIn: (body: Schemas['SignInInput']) => answer(POST('/api/session', { body })),
    signOut: () => DELETE('/api/session'),
    invitationOffer: (invitation: string) =>
      answer(GET('/api/invitations/{invitation}', { params: { path: { invitation } } })),
    acceptInvitation: (invitation: string, body: Schemas['InvitationAcceptance']) =>
      answer(POST('/api/invitations/{invitation}/accept', { params: { path: { invitation } }, body })),

    changeMe: (body: Schemas['OwnChange']) => answer(PATCH('/api/me', { body })),
    sessions: () => answer(GET('/api/sessions')),
    endSession: (id: string) => DELETE('/api/sessions/{id}', by(id)),
    devices: () => answer(GET('/api/devices')),
    makeDevice: (label: string) => answer(POST('/api/devices', { body: { label } })),
    removeDevice: (id: string) => DELETE('/api/devices/{id}', by(id)),

    users: () => answer(GET('/api/users')),
    makeUser: (body: Schemas['UserInput']) => answer(POST('/api/users', { body })),
    changeUser: (id: string, body: Schemas['UserChange']) =>
      answer(PATCH('/api/users/{id}', { ...by(id), body })),
    removeUser: (id: string) => DELETE('/api/users/{id}', by(id)),
    invitations: () => answer(GET('/api/invitations')),
    invite: (body: Schemas['InvitationInput']) => answer(POST('/api/invitations', { body })),
    removeInvitation: (invitation: string) =>
      DELETE('/api/invitations/{invitation}', { params: { path: { invitation } } }),

    albums: (filter: AlbumFilter, place: Place, signal?: AbortSignal) =>
      answer(GET('/api/albums', listed(filter, place, signal))),
    album: (id: string) => answer(GET('/api/albums/{id}', by(id))),
    artists: (filter: ArtistFilter, place: Place, signal?: AbortSignal) =>
      answer(GET('/api/artists', listed(filter, place, signal))),
    artist: (id: string) => answer(GET('/api/artists/{id}', by(id))),
    tracks: (filter: TrackFilter, place: Place, signal?: AbortSignal) =>
      answer(GET('/api/tracks', listed(filter, place, signal))),
    lookUp: (ids: readonly string[]) => answer(POST('/api/tracks/lookup', { body: { ids: [...ids] } })),
    track: (id: string) => answer(GET('/api/tracks/{id}', by(id))),
    genres: () => answer(GET('/api/genres')),
    letters: (list: 'albums' | 'artists') => answer(GET('/api/letters', { params: { query: { list } } })),
    years: () => answer(GET('/api/years')),
    folder: (library: string, path: string) =>
      answer(GET('/api/folders', { params: { query: { library, path } } })),
    search: (query: QueryOf<'/api/search'>, signal?: AbortSignal) =>
      answer(GET('/api/search', listed(query, {}, signal))),
    counts: () => answer(GET('/api/counts')),
    /** Takes an upload back. */
    withdrawTrack: (id: string) => DELETE('/api/tracks/{id}', by(id)),
    lyrics: (id: string) => answer(GET('/api/tracks/{id}/lyrics', by(id))),

    mark: (kind: MarkKind, id: string, body: Schemas['MarkInput']) =>
      answer(PUT('/api/marks/{kind}/{id}', { params: { path: { kind, id } }, body })),
    reportPlaying: (track: string) => POST('/api/playing', { body: { track } }),
    connections: () => answer(GET('/api/connections')),
    connect: (body: Schemas['ConnectionInput']) => answer(POST('/api/connections', { body })),
    testConnection: (id: string) => answer(POST('/api/connections/{id}/test', by(id))),
    disconnect: (id: string) => DELETE('/api/connections/{id}', by(id)),
    setLastfm: (body: Schemas['ServiceInput']) => answer(PUT('/api/services/lastfm', { body })),
    reportPlay: (body: Schemas['PlayInput']) => answer(POST('/api/plays', { body })),
    podcasts: () => answer(GET('/api/podcasts')),
    podcast: (id: string) => answer(GET('/api/podcasts/{id}', by(id))),
    subscribe: (url: string) => answer(POST('/api/podcasts', { body: { url } })),
    unsubscribe: (id: string) => DELETE('/api/podcasts/{id}', by(id)),
    refreshPodcasts: () => POST('/api/podcasts/refresh'),
    episodes: (query: QueryOf<'/api/episodes'>, signal?: AbortSignal) =>
      answer(GET('/api/episodes', listed(query, {}, signal))),
    downloadEpisode: (id: string) => answer(PUT('/api/episodes/{id}/download', by(id))),
    removeDownload: (id: string) => answer(DELETE('/api/episodes/{id}/download', by(id))),
    /** It is so short that it outlives the page. */
    keepPlace: (id: string, positionMs: number) =>
      PUT('/api/episodes/{id}/place', { ...by(id), body: { positionMs }, keepalive: true }),
    stations: () => answer(GET('/api/stations')),
    makeStation: (body: Schemas['StationInput']) => answer(POST('/api/stations', { body })),
    changeStation: (id: string, body: Schemas['StationInput']) =>
      answer(PUT('/api/stations/{id}', { ...by(id), body })),
    removeStation: (id: string) => DELETE('/api/stations/{id}', by(id)),
    queue: () => answer(GET('/api/queue')),
    /** `leaving`: the page closes, and the request outlives it; browsers let only short ones do so. */
    saveQueue: (body: Schemas['QueueInput'], leaving: boolean) =>
      answer(PUT('/api/queue', { body, keepalive: leaving && body.tracks.length < mostOutliving })),

    playlists: () => answer(GET('/api/playlists')),
    playlist: (id: string) => answer(GET('/api/playlists/{id}', by(id))),
    makePlaylist: (body: Schemas['PlaylistInput']) => answer(POST('/api/playlists', { body })),
    changePlaylist: (id: string, body: Schemas['PlaylistChange']) =>
      answer(PATCH('/api/playlists/{id}', { ...by(id), body })),
    removePlaylist: (id: string) => DELETE('/api/playlists/{id}', by(id)),
    importPlaylist: (name: string, m3u: string) =>
      answer(
        POST('/api/playlists/import', {
          params: { query: { name } },
          body: m3u,
          bodySerializer: () => m3u,
          headers: { 'content-type': 'audio/x-mpegurl' },
        }),
      ),
    previewRules: (body: Rules) => answer(POST('/api/playlists/preview', { body })),

    shares: () => answer(GET('/api/shares')),
    makeShare: (body: Schemas['ShareInput']) => answer(POST('/api/shares', { body })),
    removeShare: (token: string) => DELETE('/api/shares/{token}', { params: { path: { token } } }),

    libraries: () => answer(GET('/api/libraries')),
    addLibrary: (body: Schemas['LibraryInput']) => answer(POST('/api/libraries', { body })),
    changeLibrary: (id: string, body: Schemas['LibraryChange']) =>
      answer(PATCH('/api/libraries/{id}', { ...by(id), body })),
    removeLibrary: (id: string) => DELETE('/api/libraries/{id}', by(id)),
    serverFolder: (path?: string) => answer(GET('/api/server-folders', { params: { query: { path } } })),
    scanStatus: () => answer(GET('/api/scan')),
    scan: (body: Schemas['ScanInput']) => answer(POST('/api/scan', { body })),
    problems: (query: QueryOf<'/api/problems'>) => answer(GET('/api/problems', { params: { query } })),
    status: () => answer(GET('/api/status')),
    cluster: () => answer(GET('/api/cluster')),
    inviteNode: () => answer(POST('/api/cluster/invitations')),
    changeNode: (id: string, body: NodeChange) => PATCH('/api/cluster/nodes/{id}', { ...by(id), body }),
    changeClusterSettings: (body: SettingsChange) => PATCH('/api/cluster/settings', { body }),
    renewAuthority: () => POST('/api/cluster/authority/renewal'),
    clusterEvents: () => answer(GET('/api/cluster/events')),
  }
}
