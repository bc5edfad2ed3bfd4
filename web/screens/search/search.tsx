import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Search as SearchIcon, SearchX } from 'lucide-react'
import { type KeyboardEvent, useDeferredValue, useEffect, useLayoutEffect, useRef } from 'react'
import type { SearchResult } from '../../../src/protocol/api/catalog.ts'
import { genresQuery, searchQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { AlbumCard, ArtistCard } from '../../components/cards.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { TrackList } from '../../components/track-list.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './search.css'

const route = getRouteApi('/inside/search')
const sizes = { artists: 6, albums: 12, tracks: 30 }

export function Search() {
  const api = useApi()
  const { say } = useWords()
  const { q = '' } = route.useSearch()
  const asked = useDeferredValue(q.trim())
  const result = useQuery(searchQuery(api, asked, sizes))
  return (
    <Page title={say('search')} hideTitle>
      <PhoneField q={q} />
      {asked === '' ? (
        <SearchIdle />
      ) : (
        <Loaded query={result} bones={<Bones shape="row" count={8} />}>
          {(found) => <Results result={found} q={asked} stale={result.isPlaceholderData} />}
        </Loaded>
      )}
    </Page>
  )
}

/** Phones have no top bar to type into. */
function PhoneField({ q }: { q: string }) {
  const { say } = useWords()
  const navigate = route.useNavigate()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (window.matchMedia('(width < 56rem)').matches) input.current?.focus()
  }, [])
  return (
    <search className="search-field search-phone">
      <SearchIcon size={18} aria-hidden />
      <input
        ref={input}
        type="search"
        placeholder={say('searchPlaceholder')}
        aria-label={say('search')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        defaultValue={q}
        onChange={(event) => {
          const typed = event.currentTarget.value
          void navigate({ search: typed === '' ? {} : { q: typed }, replace: true })
        }}
      />
    </search>
  )
}

function Results({ result, q, stale }: { result: SearchResult; q: string; stale: boolean }) {
  const { say } = useWords()
  const { artists, albums, tracks } = result
  const count = artists.length + albums.length + tracks.length
  const keepsFocus = useKeptFocus(result)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys only add to what Tab does.
    <div {...keepsFocus} className="results" aria-busy={stale} onKeyDown={moveWithArrows}>
      <p className="visually-hidden" role="status">
        {say('resultCount', { count })}
      </p>
      {count === 0 ? (
        <EmptyState icon={SearchX} title={say('noResultsTitle', { q })} text={say('noResultsText')} />
      ) : null}
      {artists.length === 0 ? null : (
        <section>
          <h2>{say('artists')}</h2>
          <div className="results-cards results-artists">
            {artists.map((artist) => (
              <ArtistCard key={artist.id} artist={artist} />
            ))}
          </div>
        </section>
      )}
      {albums.length === 0 ? null : (
        <section>
          <h2>{say('albums')}</h2>
          <div className="results-cards">
            {albums.map((album) => (
              <AlbumCard key={album.id} album={album} />
            ))}
          </div>
        </section>
      )}
      {tracks.length === 0 ? null : (
        <section>
          <h2>{say('songs')}</h2>
          <div className="results-songs">
            <TrackList tracks={tracks} label={say('songs')} />
          </div>
        </section>
      )}
    </div>
  )
}

/** Who walked into the results before the last of them came is not thrown out when they change: the first takes over. */
function useKeptFocus(result: SearchResult) {
  const list = useRef<HTMLDivElement>(null)
  const inside = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the new results that may have taken the old away.
  useLayoutEffect(() => {
    if (inside.current && list.current !== null && document.activeElement === document.body) {
      stopsIn(list.current)[0]?.focus()
    }
  }, [result])
  return {
    ref: list,
    onFocus: () => {
      inside.current = true
    },
    onBlur: () => {
      inside.current = false
    },
  }
}

const stopsIn = (list: HTMLElement) => [...list.querySelectorAll<HTMLElement>('.card-link, .track-title')]

/** Up and down go from result to result; up from the first goes back to the field. */
function moveWithArrows(event: KeyboardEvent<HTMLElement>) {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (by === 0) return
  const stops = stopsIn(event.currentTarget)
  const at = document.activeElement instanceof HTMLElement ? stops.indexOf(document.activeElement) : -1
  if (at < 0) return
  event.preventDefault()
  const next = stops[at + by]
  if (next !== undefined) next.focus()
  else if (by < 0) document.querySelector<HTMLElement>('input[type=search]')?.focus()
}

/** Before anything is typed: where else to begin. */
function SearchIdle() {
  const { say } = useWords()
  const genres = useQuery(genresQuery(useApi()))
  const top = genres.data?.items.toSorted((a, b) => b.trackCount - a.trackCount).slice(0, 24) ?? []
  return (
    <section>
      <EmptyState icon={SearchIcon} title={say('searchIdleTitle')} text={say('searchIdleText')} />
      <p className="search-genres">
        {top.map((genre) => (
          <Link key={genre.name} to="/albums" search={{ genre: genre.name }} className="badge">
            {genre.name}
          </Link>
        ))}
      </p>
    </section>
  )
}
