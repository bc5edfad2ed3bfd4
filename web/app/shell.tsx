import { useQueryClient } from '@tanstack/react-query'
import { Outlet, useRouter, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import type { LiveMessage } from '../../src/protocol/api/live.ts'
import { loadMenu, MenuProvider } from '../components/menu.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { connectLive } from '../live/live.ts'
import type { Playable } from '../player/playable.ts'
import { useAccount } from './account.ts'
import { MiniPlayer } from './mini-player.tsx'
import { Sidebar, TabBar, TopBar } from './navigation.tsx'
import { Notices } from './notices.tsx'
import { PlayerBar } from './player-bar.tsx'
import { welcomeQuery } from './queries.ts'
import { QueueElsewhere } from './queue-elsewhere.tsx'
import { atRest } from './scripts.ts'
import { useServices, useView } from './services.tsx'
import { useShortcuts } from './shortcuts.ts'
import { usePlayerState } from './sound.tsx'
import './shell.css'

const loadQueuePanel = () => import('../screens/queue/queue-panel.tsx')
const loadTrackDetails = () => import('../screens/details/track-details.tsx')
const loadShareDialog = () => import('../screens/shares/share-dialog.tsx')
const QueuePanel = lazy(loadQueuePanel)
const TrackDetails = lazy(loadTrackDetails)
const ShareDialog = lazy(loadShareDialog)
const DropZone = lazy(() => import('../screens/uploads/drop-zone.tsx'))

/** What surrounds every screen of someone who is signed in. */
export function Shell() {
  const { say } = useWords()
  const queueOpen = useView((view) => view.queueOpen)
  const details = useView((view) => view.details)
  const sharing = useView((view) => view.sharing)
  const path = useRouterState({ select: (state) => state.location.pathname })
  const hasQueue = usePlayerState((state) => state.queue.current >= 0)
  useLive()
  useRememberedQueue()
  useSignedOut()
  useShortcuts()
  const playing = path === '/playing'
  return (
    <MenuProvider>
      <a className="skip" href="#content">
        {say('skipToContent')}
      </a>
      <div
        className="shell"
        data-queue={(queueOpen && !playing) || undefined}
        data-playing={playing || undefined}
      >
        <Sidebar />
        <div className="shell-main">
          <TopBar />
          <main id="content" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
        {queueOpen && !playing ? (
          <Suspense fallback={null}>
            <QueuePanel />
          </Suspense>
        ) : null}
        <PlayerBar />
        <div className="shell-bottom">
          {hasQueue && !playing ? <MiniPlayer /> : null}
          <TabBar />
        </div>
      </div>
      <Notices>
        <QueueElsewhere />
      </Notices>
      <NowPlayingAnnouncement />
      <Suspense fallback={null}>
        <DropZone />
        {details === undefined ? null : <TrackDetails track={details} />}
        {sharing === undefined ? null : <ShareDialog sharing={sharing} />}
      </Suspense>
    </MenuProvider>
  )
}

/** Tells people who do not see the player bar what has begun to play. */
function NowPlayingAnnouncement() {
  const { say } = useWords()
  const track = usePlayerState((state) => state.queue.entries[state.queue.current]?.track)
  const sounds = usePlayerState((state) => state.status === 'playing')
  const nowPlaying = ({ title, artist }: Playable) =>
    artist === '' ? say('nowPlayingStation', { title }) : say('nowPlaying', { title, artist })
  return (
    <p className="visually-hidden" aria-live="polite">
      {track !== undefined && sounds ? nowPlaying(track) : ''}
    </p>
  )
}

/** Which queries a change makes stale. */
const changes = {
  albums: ['albums', 'libraries', 'playlists'],
  marks: ['albums', 'playlists'],
  libraries: ['libraries', 'albums'],
  problems: ['problems', 'libraries'],
  playlists: ['playlists'],
  accounts: ['accounts'],
  queue: [],
  podcasts: ['podcasts'],
  stations: ['stations'],
} as const satisfies Record<Extract<LiveMessage, { type: 'changed' }>['what'], readonly string[]>

/**
 * All that can be shown, while the gateway that has it still lives: a server may be away for a minute, and no other one's
 * scripts may run in this page.
 */
function loadScreens(router: ReturnType<typeof useRouter>) {
  for (const load of [loadMenu, loadQueuePanel, loadTrackDetails, loadShareDialog]) {
    void load().catch(() => undefined)
  }
  for (const { options } of Object.values(router.routesById)) {
    const screen: unknown = options.component
    if (typeof screen !== 'function' || !('preload' in screen) || typeof screen.preload !== 'function')
      continue
    void Promise.resolve(screen.preload()).catch(() => undefined)
  }
}

function useLive() {
  const router = useRouter()
  const { gateways, view, marks, player, plays, remembered } = useServices()
  const queries = useQueryClient()
  const account = useAccount()?.id
  useEffect(() => {
    if (account === undefined) return
    let helloes = 0
    const live = connectLive({
      address: () => new URL(gateways.address('/api/live'), location.href).href.replace(/^http/, 'ws'),
      onConnected(connected) {
        view.set({ connected })
        if (!connected) return void gateways.check()
        void gateways.refresh()
        atRest(() => loadScreens(router))
        player.retry()
        void plays.flush()
      },
      onMessage(message) {
        if (message.type === 'hello') {
          helloes += 1
          // What changed while nobody listened is not known.
          if (helloes > 1) {
            void queries.invalidateQueries()
            remembered.changed()
          }
        } else if (message.type === 'scan') {
          queries.setQueryData(['scan'], message.status)
          if (message.status.phase === 'idle') void queries.invalidateQueries({ queryKey: ['libraries'] })
        } else if (Object.hasOwn(changes, message.what)) {
          // A newer server may name what this page does not know.
          const stale = changes[message.what].map((name) => queries.invalidateQueries({ queryKey: [name] }))
          if (message.what === 'queue') remembered.changed()
          if (message.what === 'marks') {
            void Promise.all(stale).then(() => marks.refresh(message.ids ?? []).catch(() => undefined))
          }
        }
      },
    })
    return live.stop
  }, [account, gateways, view, marks, player, plays, remembered, queries, router])
}

function useRememberedQueue() {
  const { places, remembered } = useServices()
  const account = useAccount()?.id
  useEffect(() => {
    if (account === undefined) return
    const flush = () => {
      remembered.flush()
      places.flush()
    }
    remembered.begin()
    window.addEventListener('pagehide', flush)
    return () => {
      window.removeEventListener('pagehide', flush)
      remembered.stop()
    }
  }, [account, places, remembered])
}

/** The session ended here or elsewhere: back to the login page, and after it to where the person was. */
function useSignedOut() {
  const { api, view } = useServices()
  const queries = useQueryClient()
  const router = useRouter()
  const signedOut = useView((state) => state.signedOut)
  useEffect(() => {
    if (!signedOut) return
    const { href } = router.state.location
    view.set({ signedOut: false })
    queries.removeQueries({ queryKey: welcomeQuery(api).queryKey })
    void router.navigate({ to: '/login', search: href === '/' ? {} : { to: href } })
  }, [signedOut, api, view, queries, router])
}
