import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Disc3, Shuffle, Upload } from 'lucide-react'
import { useState } from 'react'
import { useAccount } from '../../app/account.ts'
import { useTrackActions } from '../../app/actions.tsx'
import type { AlbumOrder } from '../../app/orders.ts'
import { albumShelfQuery, countsQuery, trackShelfQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { AlbumCard, Shelf } from '../../components/cards.tsx'
import { Button } from '../../components/controls.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { TrackList } from '../../components/track-list.tsx'
import { type Key, useWords } from '../../i18n/i18n.tsx'
import './home.css'

const shelfLength = 14

export function Home() {
  const api = useApi()
  const { say, format } = useWords()
  const account = useAccount()
  const actions = useTrackActions()
  const counts = useQuery(countsQuery(api))
  const [seed] = useState(() => Math.floor(Math.random() * 1_000_000))
  const added = useQuery(albumShelfQuery(api, { order: 'added' }, shelfLength))
  const empty = added.data?.items.length === 0
  /** Of fewer albums, all are shown already. */
  const hasOthers = added.data?.next !== undefined

  return (
    <Page
      title={say(greeting(new Date().getHours()), { name: account?.name ?? '' })}
      note={
        counts.data === undefined || empty
          ? undefined
          : say('countsLine', {
              albums: format.number(counts.data.albums),
              songs: format.number(counts.data.tracks),
              duration: format.duration(counts.data.durationMs),
            })
      }
      tools={
        empty ? undefined : (
          <Button
            look="primary"
            icon={Shuffle}
            onClick={() =>
              actions.play(
                async () =>
                  (await api.tracks({ order: 'random', seed: Date.now() % 1_000_000 }, { limit: 100 })).items,
              )
            }
          >
            {say('playSomething')}
          </Button>
        )
      }
    >
      {empty ? (
        <Welcome />
      ) : (
        <>
          <AlbumShelf title="recentlyAdded" order="added" lead />
          <AlbumShelf title="recentlyPlayed" order="played" />
          <StarredSongs />
          <AlbumShelf title="mostPlayed" order="mostPlayed" />
          <AlbumShelf title="starredAlbums" order="starred" />
          {hasOthers ? <AlbumShelf title="somethingElse" order="random" seed={seed} /> : null}
        </>
      )}
    </Page>
  )
}

function greeting(hour: number): Key & `greeting${string}` {
  if (hour < 5) return 'greetingNight'
  if (hour < 12) return 'greetingMorning'
  return hour < 20 ? 'greetingDay' : 'greetingEvening'
}

/** A shelf of albums in this order; nothing at all where no album fits. */
function AlbumShelf({
  title,
  order,
  seed,
  lead = false,
}: {
  title: Key & ShelfTitle
  order: AlbumOrder
  seed?: number
  lead?: boolean
}) {
  const api = useApi()
  const { say } = useWords()
  const filter = seed === undefined ? { order } : { order, seed }
  const albums = useQuery(albumShelfQuery(api, filter, shelfLength))
  if (albums.data?.items.length === 0) return null
  if (albums.data === undefined && !lead) return null
  return (
    <Shelf
      title={say(title)}
      more={
        <Link to="/albums" search={filter}>
          {say('showAll')}
        </Link>
      }
    >
      <Loaded query={albums} bones={<Bones shape="card" count={6} />}>
        {(page) =>
          page.items.map((album, index) => (
            <AlbumCard key={album.id} album={album} eager={lead && index < 6} />
          ))
        }
      </Loaded>
    </Shelf>
  )
}
type ShelfTitle = 'recentlyAdded' | 'recentlyPlayed' | 'mostPlayed' | 'starredAlbums' | 'somethingElse'

function StarredSongs() {
  const api = useApi()
  const { say } = useWords()
  const songs = useQuery(trackShelfQuery(api, { order: 'starred' }, 6))
  if (songs.data === undefined || songs.data.items.length === 0) return null
  return (
    <section className="shelf">
      <header>
        <h2>{say('starredSongs')}</h2>
        <Link to="/songs" search={{ order: 'starred' }}>
          {say('showAll')}
        </Link>
      </header>
      <div className="home-songs">
        <TrackList tracks={songs.data.items} label={say('starredSongs')} album={false} />
      </div>
    </section>
  )
}

/** No music yet: how it gets here. */
function Welcome() {
  const { say } = useWords()
  const administrator = useAccount()?.role === 'administrator'
  return (
    <EmptyState
      icon={Disc3}
      title={say('noMusicTitle')}
      text={say(administrator ? 'noMusicAdministrator' : 'noMusicUser')}
    >
      {administrator ? (
        <Link to="/administration" className="button button-primary">
          {say('addMusicFolder')}
        </Link>
      ) : null}
      <Link to="/uploads" className="button button-plain">
        <Upload size={18} aria-hidden />
        {say('uploadMusic')}
      </Link>
    </EmptyState>
  )
}
