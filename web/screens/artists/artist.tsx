import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Download, Link2, Play, Shuffle } from 'lucide-react'
import type { AlbumSummary, ArtistDetail, TrackSummary } from '../../../src/protocol/api/catalog.ts'
import type { Api } from '../../api/api.ts'
import { useArchive, useTrackActions } from '../../app/actions.tsx'
import { artistQuery } from '../../app/queries.ts'
import { useApi, useServices } from '../../app/services.tsx'
import { AlbumCard } from '../../components/cards.tsx'
import { Button, IconButton } from '../../components/controls.tsx'
import { Hero } from '../../components/hero.tsx'
import { useTitle } from '../../components/page.tsx'
import { StarButton } from '../../components/star.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { TrackList } from '../../components/track-list.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './artists.css'

const route = getRouteApi('/inside/artists/$id')

export function Artist() {
  const { id } = route.useParams()
  const artist = useQuery(artistQuery(useApi(), id))
  return (
    <div className="page">
      <Loaded
        query={artist}
        bones={
          <>
            <Bones shape="hero" />
            <Bones shape="card" count={6} />
          </>
        }
      >
        {(found) => <ArtistFound artist={found} />}
      </Loaded>
    </div>
  )
}

function ArtistFound({ artist }: { artist: ArtistDetail }) {
  const { api, view } = useServices()
  const { say } = useWords()
  const actions = useTrackActions()
  const archive = useArchive()
  useTitle(artist.name)
  const everything = () => tracksOf(api, artist)
  return (
    <>
      <Hero
        cover={{ kind: 'artist', id: artist.id, version: artist.cover }}
        round
        kind={say('artist')}
        title={artist.name}
        facts={[
          artist.albumCount > 0 ? say('albumCount', { count: artist.albumCount }) : undefined,
          // Who gathers what others sing is on none of the songs.
          artist.trackCount > 0 ? say('songCount', { count: artist.trackCount }) : undefined,
        ]}
        actions={
          <>
            <Button look="primary" icon={Play} onClick={() => actions.play(everything)}>
              {say('play')}
            </Button>
            <Button icon={Shuffle} onClick={() => actions.shuffle(everything)}>
              {say('shuffle')}
            </Button>
            <span className="row hero-small">
              <StarButton kind="artist" item={artist} size={22} />
              <IconButton
                icon={Link2}
                label={say('share')}
                size={22}
                onClick={() => view.set({ sharing: { kind: 'artist', id: artist.id, name: artist.name } })}
              />
              <IconButton
                icon={Download}
                label={say('download')}
                size={22}
                onClick={() => archive('artist', artist.id)}
              />
            </span>
          </>
        }
      />
      {artist.topTracks.length === 0 ? null : (
        <section className="artist-songs">
          <TrackList tracks={artist.topTracks.slice(0, 5)} label={say('topSongs')} numbers="list" />
        </section>
      )}
      <AlbumPart title={say('albums')} albums={artist.albums} />
      <AlbumPart title={say('appearsOn')} albums={artist.appearsOn} />
    </>
  )
}

function AlbumPart({ title, albums }: { title: string; albums: readonly AlbumSummary[] }) {
  if (albums.length === 0) return null
  return (
    <section className="artist-part">
      <h2>{title}</h2>
      <div className="artist-albums">
        {albums.map((album) => (
          <AlbumCard
            key={album.id}
            album={album}
            sub={album.year === undefined ? album.artist : `${album.year} · ${album.artist}`}
          />
        ))}
      </div>
    </section>
  )
}

/** The artist's albums and whatever else credits them, album by album. */
async function tracksOf(api: Api, artist: ArtistDetail): Promise<TrackSummary[]> {
  const page = await api.tracks({ artist: artist.id, order: 'album' }, { limit: 500 })
  return page.items
}
