import { useQuery } from '@tanstack/react-query'
import { Link, type LinkProps, useNavigate, useRouterState } from '@tanstack/react-router'
import {
  CloudOff,
  Disc3,
  FolderTree,
  House,
  ListMusic,
  LogOut,
  type LucideIcon,
  MicVocal,
  Music2,
  Podcast,
  Radio,
  Search,
  Server,
  Settings,
  Tags,
  Upload,
  UserRound,
} from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { IconButton } from '../components/controls.tsx'
import { Wordmark } from '../components/logo.tsx'
import { type MenuItem, useMenu } from '../components/menu.tsx'
import { type PlainKey, useWords } from '../i18n/i18n.tsx'
import { useAccount, useSignOut } from './account.ts'
import { playlistsQuery, scanQuery } from './queries.ts'
import { useServices, useView } from './services.tsx'
import './navigation.css'

interface Destination {
  to: Exclude<LinkProps['to'], undefined>
  word: PlainKey
  icon: LucideIcon
}

export const library: readonly Destination[] = [
  { to: '/albums', word: 'albums', icon: Disc3 },
  { to: '/artists', word: 'artists', icon: MicVocal },
  { to: '/songs', word: 'songs', icon: Music2 },
  { to: '/genres', word: 'genres', icon: Tags },
  { to: '/folders', word: 'folders', icon: FolderTree },
  { to: '/podcasts', word: 'podcasts', icon: Podcast },
  { to: '/radio', word: 'radio', icon: Radio },
]

function NavLink({ to, word, icon: Icon, exact = false }: Destination & { exact?: boolean }) {
  const { say } = useWords()
  return (
    <li>
      <Link to={to} className="nav-link" activeOptions={{ exact, includeSearch: false }}>
        <Icon size={19} aria-hidden />
        <span>{say(word)}</span>
      </Link>
    </li>
  )
}

export function Sidebar() {
  const { api } = useServices()
  const { say } = useWords()
  const playlists = useQuery(playlistsQuery(api))
  return (
    <div className="sidebar">
      <Link to="/" className="sidebar-logo" aria-label="Hocket">
        <Wordmark />
      </Link>
      <nav aria-label={say('mainNavigation')}>
        <ul>
          <NavLink to="/" word="home" icon={House} exact />
          {library.map((destination) => (
            <NavLink key={destination.word} {...destination} />
          ))}
        </ul>
        <ul className="sidebar-second">
          <NavLink to="/playlists" word="playlists" icon={ListMusic} exact />
          {playlists.data?.items.slice(0, 40).map((playlist) => (
            <li key={playlist.id}>
              <Link to="/playlists/$id" params={{ id: playlist.id }} className="nav-link nav-sub">
                <span dir="auto">{playlist.name}</span>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  )
}

const tabs: readonly (Destination & { exact?: boolean })[] = [
  { to: '/', word: 'home', icon: House, exact: true },
  { to: '/albums', word: 'albums', icon: Disc3 },
  { to: '/search', word: 'search', icon: Search },
  { to: '/playlists', word: 'playlists', icon: ListMusic },
  { to: '/more', word: 'more', icon: UserRound },
]

export function TabBar() {
  const { say } = useWords()
  return (
    <nav className="tabs" aria-label={say('mainNavigation')}>
      <ul>
        {tabs.map((tab) => (
          <NavLink key={tab.word} {...tab} />
        ))}
      </ul>
    </nav>
  )
}

export function TopBar() {
  const { say } = useWords()
  return (
    <header className="topbar">
      <Link to="/" className="topbar-logo" aria-label="Hocket">
        <Wordmark />
      </Link>
      <SearchField />
      <ScanChip />
      <ConnectionChip />
      <Link to="/uploads" className="icon-button" aria-label={say('uploads')} title={say('uploads')}>
        <Upload size={20} aria-hidden />
      </Link>
      <AccountButton />
    </header>
  )
}

/** The field of the desktop's top bar: typing anywhere leads to the results. */
function SearchField() {
  const { say } = useWords()
  const navigate = useNavigate()
  const searching = useRouterState({ select: (state) => state.location.pathname === '/search' })
  const asked = useRouterState({
    select: (state) => ('q' in state.location.search ? (state.location.search.q ?? '') : ''),
  })
  const [typed, setTyped] = useState(asked)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // The address follows what is typed, a little later; it leads only while nobody types.
    if (document.activeElement !== input.current) setTyped(asked)
  }, [asked])
  return (
    <search className="search-field">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          focusFirstResult()
        }}
      >
        <Search size={18} aria-hidden />
        <input
          ref={input}
          type="search"
          placeholder={say('searchPlaceholder')}
          aria-label={say('search')}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            const q = event.currentTarget.value
            setTyped(q)
            void navigate({ to: '/search', search: q === '' ? {} : { q }, replace: searching })
          }}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return
            event.preventDefault()
            focusFirstResult()
          }}
        />
      </form>
    </search>
  )
}

/** Only while a scan runs: how far it is. */
function ScanChip() {
  const { api } = useServices()
  const { say, format } = useWords()
  const account = useAccount()
  const scan = useQuery({ ...scanQuery(api), enabled: account?.role === 'administrator' })
  if (scan.data === undefined || scan.data.phase === 'idle' || scan.data.phase === 'hashing') return null
  const { read, toRead } = scan.data
  return (
    <Link to="/administration" className="chip">
      <span className="chip-dot" aria-hidden />
      <span className="chip-text">{say('scanning')}</span>
      {toRead > 0 ? format.percent(read, toRead) : null}
    </Link>
  )
}

function ConnectionChip() {
  const { say } = useWords()
  const connected = useView((view) => view.connected)
  return (
    <span role="status">
      {connected ? null : (
        <span className="chip chip-away">
          <CloudOff size={16} aria-hidden />
          <span className="chip-text">{say('disconnected')}</span>
        </span>
      )}
    </span>
  )
}

function AccountButton() {
  const { say } = useWords()
  const account = useAccount()
  const showMenu = useMenu()
  const items = useAccountItems()
  return (
    <IconButton
      icon={UserRound}
      label={say('accountOf', { name: account?.name ?? '' })}
      onClick={(event) => showMenu({ items, label: account?.name ?? '', from: event.currentTarget })}
    />
  )
}

function useAccountItems(): MenuItem[] {
  const { say } = useWords()
  const account = useAccount()
  const navigate = useNavigate()
  const signOut = useSignOut()
  const administration: MenuItem[] =
    account?.role === 'administrator'
      ? [{ label: say('administration'), icon: Server, run: () => navigate({ to: '/administration' }) }]
      : []
  return [
    { label: say('settings'), icon: Settings, run: () => navigate({ to: '/settings' }) },
    ...administration,
    'line',
    { label: say('signOut'), icon: LogOut, run: () => void signOut() },
  ]
}

function focusFirstResult() {
  document.querySelector<HTMLElement>('.results :is(.card-link, .track-title)')?.focus()
}
