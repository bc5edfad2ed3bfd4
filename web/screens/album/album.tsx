import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ListEnd, MoreHorizontal, Pause, Play, Shuffle } from 'lucide-react'
import type { AlbumDetail, TrackSummary } from '../../../src/protocol/api/catalog.ts'
import { useAlbumMenu, useTrackActions } from '../../app/actions.tsx'
import { albumQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { Button, IconButton } from '../../components/controls.tsx'
import { Hero } from '../../components/hero.tsx'
import { useMenu } from '../../components/menu.tsx'
import { useTitle } from '../../components/page.tsx'
import { Rating, StarButton } from '../../components/star.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { ArtistLinks, TrackRow } from '../../components/track-row.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { currentEntry } from '../../player/queue.ts'
import './album.css'

const route = getRouteApi('/inside/albums/$id')

export function Album() {
  const { id } = route.useParams()
  const album = useQuery(albumQuery(useApi(), id))
  return (
    <div className="page">
      <Loaded
        query={album}
        bones={
          <>
            <Bones shape="hero" />
            <Bones shape="row" count={8} />
          </>
        }
      >
        {(found) => <AlbumFound album={found} />}
      </Loaded>
    </div>
  )
}

function AlbumFound({ album }: { album: AlbumDetail }) {
  const { say, format } = useWords()
  const name = album.name || say('unnamedAlbum')
  useTitle(name)
  return (
    <>
      <Hero
        cover={{ kind: 'album', id: album.id, version: album.cover }}
        kind={say(releaseWord(album))}
        title={name}
        sub={<ArtistLinks artists={album.artists} text={album.artist || say('unknownArtist')} />}
        facts={[
          album.originalDate?.slice(0, 4) ?? album.year?.toString(),
          say('songCount', { count: album.trackCount }),
          format.duration(album.durationMs),
          album.version,
        ]}
        actions={<AlbumActions album={album} />}
      />
      <AlbumTracks album={album} />
      <Credits album={album} />
    </>
  )
}

function releaseWord(album: AlbumDetail) {
  const types = album.releaseTypes.map((type) => type.toLowerCase())
  if (types.includes('single')) return 'kindSingle'
  if (types.includes('ep')) return 'kindEp'
  if (types.includes('live')) return 'kindLive'
  return album.compilation || types.includes('compilation') ? 'kindCompilation' : 'kindAlbum'
}

function AlbumActions({ album }: { album: AlbumDetail }) {
  const { say } = useWords()
  const player = usePlayer()
  const actions = useTrackActions()
  const albumMenu = useAlbumMenu()
  const showMenu = useMenu()
  const sounds = usePlayerState(
    (state) => state.status === 'playing' && currentEntry(state.queue)?.track.album.id === album.id,
  )
  return (
    <>
      {sounds ? (
        <Button look="primary" icon={Pause} onClick={player.pause}>
          {say('pause')}
        </Button>
      ) : (
        <Button look="primary" icon={Play} onClick={() => actions.play(album.tracks)}>
          {say('play')}
        </Button>
      )}
      <Button icon={Shuffle} onClick={() => actions.shuffle(album.tracks)}>
        {say('shuffle')}
      </Button>
      <span className="row hero-small">
        <StarButton kind="album" item={album} size={22} />
        <IconButton
          icon={ListEnd}
          size={22}
          label={say('addToQueue')}
          onClick={() => actions.addLast(album.tracks)}
        />
        <IconButton
          icon={MoreHorizontal}
          size={22}
          label={say('menuNamed', { name: album.name })}
          onClick={(event) =>
            showMenu({
              items: albumMenu(album),
              label: say('menuNamed', { name: album.name }),
              from: event.currentTarget,
            })
          }
        />
        <Rating kind="album" item={album} />
      </span>
    </>
  )
}

function AlbumTracks({ album }: { album: AlbumDetail }) {
  const { say } = useWords()
  const actions = useTrackActions()
  const discs = Map.groupBy(album.tracks, (track) => track.disc ?? 1)
  const numbered = discs.size > 1 || album.discs.some((disc) => disc.title !== undefined)
  const indexOf = new Map<TrackSummary, number>(album.tracks.map((track, index) => [track, index]))
  return [...discs].map(([disc, tracks]) => (
    <section
      key={disc}
      className="disc"
      aria-label={numbered ? say('disc', { number: String(disc) }) : say('songs')}
    >
      {numbered ? (
        <DiscHeading disc={disc} title={album.discs.find((one) => one.disc === disc)?.title} />
      ) : null}
      <ol>
        {tracks.map((track) => (
          <li key={track.id}>
            <TrackRow
              track={track}
              number={track.track || ''}
              onPlay={() => actions.play(album.tracks, indexOf.get(track) ?? 0)}
            />
          </li>
        ))}
      </ol>
    </section>
  ))
}

function DiscHeading({ disc, title }: { disc: number; title: string | undefined }) {
  const { say } = useWords()
  const number = say('disc', { number: String(disc) })
  return <h2 className="disc-heading">{title === undefined ? number : `${number} · ${title}`}</h2>
}

/** What the tags say beyond the tracks. */
function Credits({ album }: { album: AlbumDetail }) {
  const { say, format } = useWords()
  return (
    <footer className="credits">
      {album.genres.length === 0 ? null : (
        <p>
          {album.genres.map((genre) => (
            <Link key={genre} to="/albums" search={{ genre }} className="badge">
              {genre}
            </Link>
          ))}
        </p>
      )}
      <p>
        {[
          album.releaseDate ?? album.date,
          album.labels.length > 0 ? format.list(album.labels) : undefined,
          album.moods.length > 0 ? format.list(album.moods) : undefined,
          say('addedOn', { date: format.date(album.addedAt) }),
        ]
          .filter((part) => part !== undefined)
          .join(' · ')}
      </p>
    </footer>
  )
}
