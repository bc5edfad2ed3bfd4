import { Link } from '@tanstack/react-router'
import { MoreHorizontal } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import type { ArtistRef, TrackSummary } from '../../src/protocol/api/catalog.ts'
import { coverOf } from '../api/media.ts'
import { useTrackMenu } from '../app/actions.tsx'
import { usePlayerState } from '../app/sound.tsx'
import { useWords } from '../i18n/i18n.tsx'
import type { Playable } from '../player/playable.ts'
import { currentEntry } from '../player/queue.ts'
import { IconButton } from './controls.tsx'
import { Cover } from './cover.tsx'
import { Sounding } from './logo.tsx'
import { type MenuItem, useMenu } from './menu.tsx'
import { StarButton } from './star.tsx'
import './track-row.css'

/** Pixels; lists of rows are virtual, so every row is exactly this high. */
export const trackRowHeight = 56

export interface TrackRowProps {
  track: TrackSummary
  /** What stands before the title: its number in the album or list. */
  number?: number | '' | undefined
  cover?: boolean
  album?: boolean
  /** Further menu items for the list that this row stands in. */
  more?: readonly MenuItem[]
  /** A handle to drag the row by. */
  handle?: ReactNode
  /** Whether this very row is what plays; otherwise every row of the current track says so. */
  current?: boolean
  onPlay(): void
}

export const TrackRow = memo(function TrackRow(props: TrackRowProps) {
  const { track, number, cover = false, album = false, handle } = props
  const { say, format } = useWords()
  const trackMenu = useTrackMenu()
  const showMenu = useMenu()
  const sounds = usePlayerState((state) => props.current ?? currentEntry(state.queue)?.track.id === track.id)
  const paused = usePlayerState((state) => sounds && state.status !== 'playing')
  const label = say('menuNamed', { name: track.title })
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the menu on right click is also behind the row's last button.
    <div
      className={`track ${sounds ? 'track-sounds' : ''}`}
      data-album={album || undefined}
      onContextMenu={(event) => {
        event.preventDefault()
        const at = { x: event.clientX, y: event.clientY, width: 0, height: 0 }
        showMenu({ items: trackMenu(track, props.more), label, at, from: event.currentTarget })
      }}
    >
      {handle}
      {number === undefined && (cover || !sounds) ? null : (
        <span className="track-number">{sounds ? <Sounding paused={paused} /> : number}</span>
      )}
      {cover ? (
        <span className="track-cover">
          <Cover of={coverOf(track)} size={64} />
          {sounds && number === undefined ? (
            <span className="sounding-veil">
              <Sounding paused={paused} />
            </span>
          ) : null}
        </span>
      ) : null}
      <span className="track-text">
        <button
          type="button"
          dir="auto"
          className="track-title"
          aria-label={say('playNamed', { name: track.title })}
          aria-current={sounds || undefined}
          onClick={props.onPlay}
        >
          {track.title}
        </button>
        {track.explicit === 'explicit' ? <abbr title={say('explicit')}>E</abbr> : null}
        <span dir="auto" className="track-artist">
          <ArtistLinks artists={track.artists} text={track.artist} />
        </span>
      </span>
      {album ? (
        <Link dir="auto" className="track-album" to="/albums/$id" params={{ id: track.album.id }}>
          {track.album.name || say('unnamedAlbum')}
        </Link>
      ) : null}
      <StarButton kind="track" item={track} />
      <span className="track-time">{format.clock(track.durationMs)}</span>
      <IconButton
        icon={MoreHorizontal}
        className="track-more"
        label={label}
        onClick={(event) =>
          showMenu({ items: trackMenu(track, props.more), label, from: event.currentTarget })
        }
      />
    </div>
  )
})

/** A link to what a track is part of: its album, the podcast of an episode, or the radio. */
export function SourceLink({
  of,
  className,
  children,
}: {
  of: Pick<Playable, 'kind' | 'album'>
  className?: string
  children: ReactNode
}) {
  const shown = { dir: 'auto', className, children } as const
  if (of.kind === 'station') return <Link to="/radio" {...shown} />
  const given = { ...shown, params: { id: of.album.id } }
  return of.kind === 'episode' ? <Link to="/podcasts/$id" {...given} /> : <Link to="/albums/$id" {...given} />
}

/** The artists of a thing, each a link, in the words of the file where these name them all. */
export function ArtistLinks({ artists, text }: { artists: readonly ArtistRef[]; text: string }) {
  if (artists.length === 0) return text
  const parts: ReactNode[] = []
  let rest = text
  for (const artist of artists) {
    const at = rest.indexOf(artist.name)
    if (at < 0)
      return artists.map((one, index) => (
        <ArtistLink key={one.id} artist={one} before={index > 0 ? ', ' : ''} />
      ))
    parts.push(<ArtistLink key={artist.id} artist={artist} before={rest.slice(0, at)} />)
    rest = rest.slice(at + artist.name.length)
  }
  return [...parts, rest]
}

function ArtistLink({ artist, before }: { artist: ArtistRef; before: string }) {
  return (
    <>
      {before}
      <Link to="/artists/$id" params={{ id: artist.id }}>
        {artist.name}
      </Link>
    </>
  )
}
