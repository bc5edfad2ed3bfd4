import { Link } from '@tanstack/react-router'
import { MoreHorizontal, Pause, Play } from 'lucide-react'
import type { ReactNode } from 'react'
import type { AlbumSummary, ArtistSummary } from '../../src/protocol/api/catalog.ts'
import { useAlbumMenu, useTrackActions } from '../app/actions.tsx'
import { useServices } from '../app/services.tsx'
import { usePlayerState } from '../app/sound.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { currentEntry } from '../player/queue.ts'
import { IconButton } from './controls.tsx'
import { Cover } from './cover.tsx'
import { useMenu } from './menu.tsx'
import './cards.css'

/** Pixels that the text below a card's cover takes. */
export const cardTextHeight = 58

export function AlbumCard({
  album,
  eager = false,
  sub,
}: {
  album: AlbumSummary
  eager?: boolean
  sub?: ReactNode
}) {
  const { api, player } = useServices()
  const { say } = useWords()
  const actions = useTrackActions()
  const albumMenu = useAlbumMenu()
  const showMenu = useMenu()
  const sounds = usePlayerState((state) => currentEntry(state.queue)?.track.album.id === album.id)
  const playing = usePlayerState(
    (state) => sounds && (state.status === 'playing' || state.status === 'loading'),
  )
  const name = album.name || say('unnamedAlbum')
  const label = say('menuNamed', { name })
  return (
    <article
      className={sounds ? 'card card-sounds' : 'card'}
      onContextMenu={(event) => {
        event.preventDefault()
        const at = { x: event.clientX, y: event.clientY, width: 0, height: 0 }
        showMenu({ items: albumMenu(album), label, at, from: event.currentTarget })
      }}
    >
      <div className="card-cover">
        <Cover of={{ kind: 'album', id: album.id, version: album.cover }} size={256} eager={eager} />
        <div className="card-tools">
          <IconButton
            icon={MoreHorizontal}
            label={label}
            onClick={(event) => showMenu({ items: albumMenu(album), label, from: event.currentTarget })}
          />
          <button
            type="button"
            className="card-play"
            aria-label={say(playing ? 'pauseNamed' : 'playNamed', { name })}
            onClick={() =>
              sounds ? player.toggle() : actions.play(async () => (await api.album(album.id)).tracks)
            }
          >
            {playing ? (
              <Pause size={20} fill="currentColor" aria-hidden />
            ) : (
              <Play size={20} fill="currentColor" aria-hidden />
            )}
          </button>
        </div>
      </div>
      <Link dir="auto" to="/albums/$id" params={{ id: album.id }} className="card-link">
        {name}
      </Link>
      <p dir="auto" className="card-sub">
        {sub ?? (album.artist || say('unknownArtist'))}
      </p>
    </article>
  )
}

export function ArtistCard({ artist }: { artist: ArtistSummary }) {
  const { say } = useWords()
  return (
    <article className="card card-artist">
      <div className="card-cover">
        <Cover of={{ kind: 'artist', id: artist.id, version: artist.cover }} size={256} round />
      </div>
      <Link dir="auto" to="/artists/$id" params={{ id: artist.id }} className="card-link">
        {artist.name}
      </Link>
      <p className="card-sub">{say('albumCount', { count: artist.albumCount })}</p>
    </article>
  )
}

/** A row of cards that scrolls sideways, with a heading that may lead on. */
export function Shelf({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }) {
  return (
    <section className="shelf">
      <header>
        <h2>{title}</h2>
        {more}
      </header>
      <div className="shelf-row">{children}</div>
    </section>
  )
}
