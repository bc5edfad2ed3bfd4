import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Tags } from 'lucide-react'
import { genresQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './genres.css'

export function Genres() {
  const { say, format } = useWords()
  const genres = useQuery(genresQuery(useApi()))
  return (
    <Page title={say('genres')}>
      <Loaded query={genres} bones={<Bones shape="row" count={8} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={Tags} title={say('noGenresTitle')} text={say('noGenresText')} />
          ) : (
            <ul className="genres">
              {items
                .toSorted((a, b) => b.trackCount - a.trackCount)
                .map((genre) => (
                  <li key={genre.name}>
                    <Link to="/albums" search={{ genre: genre.name }} className="genre">
                      <b dir="auto">{genre.name}</b>
                      <span>
                        {format.list([
                          say('albumCount', { count: genre.albumCount }),
                          say('songCount', { count: genre.trackCount }),
                        ])}
                      </span>
                    </Link>
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
    </Page>
  )
}
