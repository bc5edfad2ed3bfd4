import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { NotFound } from '../screens/not-found.tsx'
import { BrokenScreen, PendingScreen } from './broken-screen.tsx'
import { type AlbumOrder, albumOrders, type SongOrder, songOrders } from './orders.ts'
import { welcomeQuery } from './queries.ts'
import { fetched } from './scripts.ts'
import type { Services } from './services.tsx'
import { Shell } from './shell.tsx'

/** Every address of the player, and the screen that it shows. Screens are loaded when they are first visited. */

const root = createRootRouteWithContext<Services>()({ component: Outlet, notFoundComponent: NotFound })

/** A screen that is loaded when it is first shown, or at rest before that. */
function screen<Name extends string>(load: () => Promise<Record<Name, () => ReactNode>>, name: Name) {
  return lazyRouteComponent(() => fetched(load()), name)
}

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: screen(() => import('../screens/entry/setup.tsx'), 'Setup'),
})
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { to?: string } => optional({ to: text(search.to) }),
  component: screen(() => import('../screens/entry/login.tsx'), 'Login'),
})
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation/$token',
  component: screen(() => import('../screens/entry/invitation.tsx'), 'Invitation'),
})
const connect = createRoute({
  getParentRoute: () => root,
  path: '/connect',
  component: screen(() => import('../screens/connect/connect.tsx'), 'Connect'),
})

/** Everything that needs an account. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: async ({ context, location }) => {
    const welcome = await context.queries.ensureQueryData(welcomeQuery(context.api))
    if (welcome.needsSetup) throw redirect({ to: '/setup' })
    if (welcome.account === undefined) {
      throw redirect({ to: '/login', search: location.href === '/' ? {} : { to: location.href } })
    }
    return { account: welcome.account }
  },
  component: Shell,
})

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: screen(() => import('../screens/home/home.tsx'), 'Home'),
})

export interface AlbumsSearch {
  order?: AlbumOrder
  genre?: string
  fromYear?: number
  toYear?: number
  seed?: number
}
const albums = createRoute({
  getParentRoute: () => inside,
  path: '/albums',
  validateSearch: (search: Record<string, unknown>): AlbumsSearch =>
    optional({
      order: albumOrders.find((order) => order === search.order),
      genre: text(search.genre),
      fromYear: number(search.fromYear),
      toYear: number(search.toYear),
      seed: number(search.seed),
    }),
  component: screen(() => import('../screens/albums/albums.tsx'), 'Albums'),
})
const album = createRoute({
  getParentRoute: () => inside,
  path: '/albums/$id',
  component: screen(() => import('../screens/album/album.tsx'), 'Album'),
})
const artists = createRoute({
  getParentRoute: () => inside,
  path: '/artists',
  component: screen(() => import('../screens/artists/artists.tsx'), 'Artists'),
})
const artist = createRoute({
  getParentRoute: () => inside,
  path: '/artists/$id',
  component: screen(() => import('../screens/artists/artist.tsx'), 'Artist'),
})
const songs = createRoute({
  getParentRoute: () => inside,
  path: '/songs',
  validateSearch: (search: Record<string, unknown>): { order?: SongOrder; genre?: string } =>
    optional({ order: songOrders.find((order) => order === search.order), genre: text(search.genre) }),
  component: screen(() => import('../screens/songs/songs.tsx'), 'Songs'),
})
const genres = createRoute({
  getParentRoute: () => inside,
  path: '/genres',
  component: screen(() => import('../screens/genres/genres.tsx'), 'Genres'),
})
const folders = createRoute({
  getParentRoute: () => inside,
  path: '/folders',
  validateSearch: (search: Record<string, unknown>): { library?: string; path?: string } =>
    optional({ library: text(search.library), path: text(search.path) }),
  component: screen(() => import('../screens/folders/folders.tsx'), 'Folders'),
})
const search = createRoute({
  getParentRoute: () => inside,
  path: '/search',
  validateSearch: (search: Record<string, unknown>): { q?: string } => optional({ q: text(search.q) }),
  component: screen(() => import('../screens/search/search.tsx'), 'Search'),
})
const playlists = createRoute({
  getParentRoute: () => inside,
  path: '/playlists',
  component: screen(() => import('../screens/playlists/playlists.tsx'), 'Playlists'),
})
const playlist = createRoute({
  getParentRoute: () => inside,
  path: '/playlists/$id',
  component: screen(() => import('../screens/playlists/playlist.tsx'), 'Playlist'),
})
const podcasts = createRoute({
  getParentRoute: () => inside,
  path: '/podcasts',
  component: screen(() => import('../screens/podcasts/podcasts.tsx'), 'Podcasts'),
})
const podcast = createRoute({
  getParentRoute: () => inside,
  path: '/podcasts/$id',
  component: screen(() => import('../screens/podcasts/podcast.tsx'), 'PodcastScreen'),
})
const radio = createRoute({
  getParentRoute: () => inside,
  path: '/radio',
  component: screen(() => import('../screens/radio/radio.tsx'), 'RadioScreen'),
})
const queue = createRoute({
  getParentRoute: () => inside,
  path: '/queue',
  component: screen(() => import('../screens/queue/queue-screen.tsx'), 'QueueScreen'),
})
const playing = createRoute({
  getParentRoute: () => inside,
  path: '/playing',
  component: screen(() => import('../screens/playing/playing.tsx'), 'Playing'),
})
const uploads = createRoute({
  getParentRoute: () => inside,
  path: '/uploads',
  component: screen(() => import('../screens/uploads/uploads.tsx'), 'Uploads'),
})
const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  component: screen(() => import('../screens/settings/settings.tsx'), 'Settings'),
})
const more = createRoute({
  getParentRoute: () => inside,
  path: '/more',
  component: screen(() => import('../screens/more/more.tsx'), 'More'),
})

const administration = createRoute({
  getParentRoute: () => inside,
  path: '/administration',
  beforeLoad: ({ context }) => {
    if (context.account.role !== 'administrator') throw redirect({ to: '/' })
  },
  component: screen(() => import('../screens/administration/administration.tsx'), 'Administration'),
})
const libraries = createRoute({
  getParentRoute: () => administration,
  path: '/',
  component: screen(() => import('../screens/administration/libraries.tsx'), 'Libraries'),
})
const problems = createRoute({
  getParentRoute: () => administration,
  path: '/problems',
  validateSearch: (search: Record<string, unknown>): { library?: string } =>
    optional({ library: text(search.library) }),
  component: screen(() => import('../screens/administration/problems.tsx'), 'Problems'),
})
const users = createRoute({
  getParentRoute: () => administration,
  path: '/users',
  component: screen(() => import('../screens/administration/users.tsx'), 'Users'),
})
const status = createRoute({
  getParentRoute: () => administration,
  path: '/status',
  component: screen(() => import('../screens/administration/status.tsx'), 'ServerStatus'),
})

const machines = createRoute({
  getParentRoute: () => administration,
  path: '/machines',
  component: screen(() => import('../screens/administration/nodes.tsx'), 'Nodes'),
})

/** Where nothing lives, within the frame that leads back. */
const nowhere = createRoute({ getParentRoute: () => inside, path: '$', component: NotFound })

const routeTree = root.addChildren([
  setup,
  login,
  invitation,
  connect,
  inside.addChildren([
    home,
    albums,
    album,
    artists,
    artist,
    songs,
    genres,
    folders,
    search,
    playlists,
    playlist,
    podcasts,
    podcast,
    radio,
    queue,
    playing,
    uploads,
    settings,
    more,
    administration.addChildren([libraries, problems, users, machines, status]),
    nowhere,
  ]),
])

export function createAppRouter(services: Services) {
  return createRouter({
    routeTree,
    context: services,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: BrokenScreen,
    defaultPendingComponent: PendingScreen,
    defaultPendingMs: 300,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined
}

/** Leaves out what is not given, so that addresses stay short. */
function optional<T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const name in fields) {
    const value = fields[name]
    if (isGiven(value)) given[name] = value
  }
  return given
}

function isGiven<V>(value: V): value is Exclude<V, undefined> {
  return value !== undefined
}
