import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Music2, Play, Shuffle } from 'lucide-react'
import { useState } from 'react'
import type { TrackSummary } from '../../../src/protocol/api/catalog.ts'
import type { TrackFilter } from '../../api/api.ts'
import { useTrackActions } from '../../app/actions.tsx'
import { type SongOrder, songOrders } from '../../app/orders.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Select } from '../../components/controls.tsx'
import { Page } from '../../components/page.tsx'
import { PagedGrid } from '../../components/paged-grid.tsx'
import { Bone, Bones, EmptyState } from '../../components/states.tsx'
import { TrackRow, trackRowHeight } from '../../components/track-row.tsx'
import { useWords } from '../../i18n/i18n.tsx'

const route = getRouteApi('/inside/songs')
const shape = { minWidth: 0, gap: 0, rowGap: 0, height: () => trackRowHeight }
/** Playing one song of a long list queues it with this many that follow. */
const queued = 200

const orderWords = {
  title: 'orderName',
  artist: 'orderArtist',
  album: 'orderAlbum',
  added: 'orderAdded',
  played: 'orderPlayed',
  mostPlayed: 'orderMostPlayed',
  rating: 'orderRating',
  starred: 'orderStarred',
} as const satisfies Record<SongOrder, string>
export function Songs() {
  const api = useApi()
  const { say } = useWords()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const actions = useTrackActions()
  const queries = useQueryClient()
  const order = search.order ?? 'title'
  const filter: TrackFilter = { ...search, order }
  const [total, setTotal] = useState<number>()
  const from = (offset: number) => async () => (await api.tracks(filter, { offset, limit: queued })).items

  return (
    <Page
      title={search.genre ?? say('songs')}
      note={total === undefined ? ' ' : say('songCount', { count: total })}
      tools={
        <>
          <Select
            label={say('order')}
            value={order}
            options={songOrders.map((value) => ({ value, label: say(orderWords[value]) }))}
            onChange={(value) =>
              navigate({ search: (before) => ({ ...before, order: value }), replace: true })
            }
          />
          <Button icon={Play} onClick={() => actions.play(from(0))}>
            {say('play')}
          </Button>
          <Button
            icon={Shuffle}
            onClick={() =>
              actions.play(
                async () =>
                  (
                    await api.tracks(
                      { ...filter, order: 'random', seed: Date.now() % 1_000_000 },
                      { limit: queued },
                    )
                  ).items,
              )
            }
          >
            {say('shuffle')}
          </Button>
        </>
      }
    >
      <PagedGrid<TrackSummary>
        key={JSON.stringify(filter)}
        queryKey={['albums', 'songs', filter]}
        fetchPage={(place, signal) => api.tracks(filter, place, signal)}
        onTotal={setTotal}
        shape={shape}
        label={say('songs')}
        render={(track, index) => (
          <TrackRow
            track={track}
            cover
            album
            onPlay={() =>
              actions.play(() =>
                queries.fetchQuery({
                  queryKey: ['albums', 'songs-from', filter, index],
                  queryFn: from(index),
                }),
              )
            }
          />
        )}
        bones={<Bones shape="row" count={12} />}
        bone={<Bone shape="row" />}
        empty={
          <EmptyState
            icon={Music2}
            title={say('noSongsTitle')}
            text={say(order === 'starred' ? 'noStarredText' : 'noAlbumsText')}
          />
        }
      />
    </Page>
  )
}
