import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Disc3, X } from 'lucide-react'
import { useState } from 'react'
import type { AlbumSummary } from '../../../src/protocol/api/catalog.ts'
import { type AlbumOrder, albumOrders } from '../../app/orders.ts'
import { genresQuery, yearsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { AlbumCard, cardTextHeight } from '../../components/cards.tsx'
import { Button, Select } from '../../components/controls.tsx'
import { Page } from '../../components/page.tsx'
import { PagedGrid } from '../../components/paged-grid.tsx'
import { Bone, Bones, EmptyState } from '../../components/states.tsx'
import type { GridShape } from '../../components/virtual-grid.tsx'
import { useWords } from '../../i18n/i18n.tsx'

const route = getRouteApi('/inside/albums')

const orderWords = {
  name: 'orderName',
  artist: 'orderArtist',
  added: 'orderAdded',
  yearDescending: 'orderYearDescending',
  year: 'orderYear',
  played: 'orderPlayed',
  mostPlayed: 'orderMostPlayed',
  rating: 'orderRating',
  starred: 'orderStarred',
  random: 'orderRandom',
} as const satisfies Record<AlbumOrder, string>
export const albumGridShape: GridShape = {
  minWidth: 150,
  gap: 18,
  rowGap: 22,
  height: (width) => width + cardTextHeight,
}

export function Albums() {
  const api = useApi()
  const { say } = useWords()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const order = search.order ?? 'name'
  const [fallbackSeed] = useState(() => Math.floor(Math.random() * 1_000_000))
  const filter = { ...search, order, ...(order === 'random' ? { seed: search.seed ?? fallbackSeed } : {}) }
  const [total, setTotal] = useState<number>()
  const filtered = search.genre !== undefined || search.fromYear !== undefined

  return (
    <Page
      title={say('albums')}
      note={total === undefined ? ' ' : say('albumCount', { count: total })}
      tools={
        <>
          <Select
            label={say('order')}
            value={order}
            options={albumOrders.map((value) => ({ value, label: say(orderWords[value]) }))}
            onChange={(value) =>
              navigate({ search: ({ seed: _, ...rest }) => ({ ...rest, order: value }), replace: true })
            }
          />
          <GenreFilter />
          <DecadeFilter />
          {filtered ? (
            <Button look="quiet" icon={X} onClick={() => navigate({ search: { order }, replace: true })}>
              {say('clearFilters')}
            </Button>
          ) : null}
        </>
      }
    >
      <PagedGrid<AlbumSummary>
        key={JSON.stringify(filter)}
        queryKey={['albums', 'list', filter]}
        fetchPage={(place, signal) => api.albums(filter, place, signal)}
        onTotal={setTotal}
        shape={albumGridShape}
        label={say('albums')}
        render={(album, index) => <AlbumCard album={album} eager={index < 12} sub={subLine(album, order)} />}
        bones={<Bones shape="card" count={18} />}
        bone={<Bone shape="card" />}
        empty={
          <EmptyState
            icon={Disc3}
            title={say('noAlbumsTitle')}
            text={say(filtered ? 'noAlbumsFiltered' : order === 'starred' ? 'noStarredText' : 'noAlbumsText')}
          />
        }
      />
    </Page>
  )
}

/** The line below an album's name says what the order is about. */
function subLine(album: AlbumSummary, order: AlbumOrder) {
  const year = order === 'year' || order === 'yearDescending'
  return year && album.year !== undefined ? `${album.year} · ${album.artist}` : album.artist
}

function GenreFilter() {
  const api = useApi()
  const { say } = useWords()
  const { genre } = route.useSearch()
  const navigate = route.useNavigate()
  const genres = useQuery(genresQuery(api))
  const names = genres.data?.items.map(({ name }) => name) ?? []
  const all = genre === undefined || names.includes(genre) ? names : [genre, ...names]
  if (all.length === 0) return null
  return (
    <Select
      label={say('genre')}
      value={genre ?? ''}
      options={[{ value: '', label: say('allGenres') }, ...all.map((name) => ({ value: name, label: name }))]}
      onChange={(value) =>
        navigate({
          search: ({ genre: _, ...rest }) => (value === '' ? rest : { ...rest, genre: value }),
          replace: true,
        })
      }
    />
  )
}

function DecadeFilter() {
  const api = useApi()
  const { say } = useWords()
  const { fromYear } = route.useSearch()
  const navigate = route.useNavigate()
  const years = useQuery(yearsQuery(api))
  const decades = [...new Set(years.data?.items.map(({ year }) => Math.floor(year / 10) * 10))].sort(
    (a, b) => b - a,
  )
  if (decades.length < 2) return null
  return (
    <Select
      label={say('decade')}
      value={fromYear === undefined ? '' : String(fromYear)}
      options={[
        { value: '', label: say('allYears') },
        ...decades.map((decade) => ({
          value: String(decade),
          label: say('decadeOf', { year: String(decade) }),
        })),
      ]}
      onChange={(value) =>
        navigate({
          search: ({ fromYear: _, toYear: __, ...rest }) =>
            value === '' ? rest : { ...rest, fromYear: Number(value), toYear: Number(value) + 9 },
          replace: true,
        })
      }
    />
  )
}
