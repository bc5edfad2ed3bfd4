import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { MicVocal } from 'lucide-react'
import { useState } from 'react'
import type { ArtistSummary } from '../../../src/protocol/api/catalog.ts'
import type { ArtistFilter } from '../../api/api.ts'
import { lettersQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Choice } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { Page } from '../../components/page.tsx'
import { PagedGrid } from '../../components/paged-grid.tsx'
import { StarButton } from '../../components/star.tsx'
import { Bone, Bones, EmptyState } from '../../components/states.tsx'
import { scrollToItem } from '../../components/virtual-grid.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './artists.css'

const rowHeight = 64
const shape = { minWidth: 300, gap: 24, rowGap: 0, height: () => rowHeight }

type Role = 'albumArtist' | 'any'
type Order = 'name' | 'albumCount' | 'starred'

export function Artists() {
  const api = useApi()
  const { say } = useWords()
  const [role, setRole] = useState<Role>('albumArtist')
  const [order, setOrder] = useState<Order>('name')
  const [total, setTotal] = useState<number>()
  const filter: ArtistFilter = { role, order }
  return (
    <Page
      title={say('artists')}
      note={total === undefined ? ' ' : say('artistCount', { count: total })}
      tools={
        <>
          <Choice<Order>
            label={say('order')}
            value={order}
            onChange={setOrder}
            options={[
              { value: 'name', label: say('orderName') },
              { value: 'albumCount', label: say('orderAlbumCount') },
              { value: 'starred', label: say('orderStarred') },
            ]}
          />
          <Choice<Role>
            label={say('artistRole')}
            value={role}
            onChange={setRole}
            options={[
              { value: 'albumArtist', label: say('albumArtists') },
              { value: 'any', label: say('everyone') },
            ]}
          />
        </>
      }
    >
      {order === 'name' && role === 'albumArtist' ? <Letters /> : null}
      <PagedGrid<ArtistSummary>
        key={`${role} ${order}`}
        queryKey={['albums', 'artists', filter]}
        fetchPage={(place, signal) => api.artists(filter, place, signal)}
        onTotal={setTotal}
        shape={shape}
        label={say('artists')}
        render={(artist, index, at) => (
          <ArtistRow
            artist={artist}
            letter={order === 'name' ? startsLetter(artist, at(index - 1)) : undefined}
          />
        )}
        bones={<Bones shape="row" count={10} />}
        bone={<Bone shape="row" />}
        empty={
          <EmptyState
            icon={MicVocal}
            title={say('noArtistsTitle')}
            text={say(order === 'starred' ? 'noStarredText' : 'noAlbumsText')}
          />
        }
      />
    </Page>
  )
}

/** Where each letter begins, to go there at once. */
function Letters() {
  const { say } = useWords()
  const letters = useQuery(lettersQuery(useApi(), 'artists'))
  if (letters.data === undefined || letters.data.items.length < fewLetters) return null
  return (
    <nav className="letters" aria-label={say('jumpToLetter')}>
      {letters.data.items.map(({ letter, offset }) => (
        <button key={letter} type="button" onClick={() => scrollToItem(offset)}>
          {letter}
        </button>
      ))}
    </nav>
  )
}

/** Below this there is nothing to jump over. */
const fewLetters = 6

function ArtistRow({ artist, letter }: { artist: ArtistSummary; letter: string | undefined }) {
  const { say } = useWords()
  return (
    <div className="artist-row">
      <span className="artist-letter" aria-hidden>
        {letter}
      </span>
      <Cover
        of={{ kind: 'artist', id: artist.id, version: artist.cover }}
        size={64}
        round
        className="artist-cover"
      />
      <span className="artist-text">
        <Link dir="auto" to="/artists/$id" params={{ id: artist.id }}>
          {artist.name}
        </Link>
        <span>
          {artist.albumCount > 0
            ? say('albumCount', { count: artist.albumCount })
            : say('songCount', { count: artist.trackCount })}
        </span>
      </span>
      <StarButton kind="artist" item={artist} />
    </div>
  )
}

/** The letter under which an artist stands, where the one before stands under another. */
function startsLetter(artist: ArtistSummary, before: ArtistSummary | undefined): string | undefined {
  const letter = letterOf(artist)
  return before !== undefined && letterOf(before) === letter ? undefined : letter
}

function letterOf({ sortName }: ArtistSummary): string {
  const first = sortName.normalize('NFD').match(/[\p{L}\p{N}]/u)?.[0] ?? '#'
  return /\p{L}/u.test(first) ? first.toLocaleUpperCase() : '#'
}
