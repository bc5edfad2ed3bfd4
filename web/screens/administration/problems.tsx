import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { CircleCheck } from 'lucide-react'
import type { ProblemSummary } from '../../../src/protocol/api/catalog.ts'
import { librariesQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Select } from '../../components/controls.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

const route = getRouteApi('/inside/administration/problems')

/** Files that could not be read as they should: what happened, where, and what to do. */
export function Problems() {
  const api = useApi()
  const { say } = useWords()
  const { library } = route.useSearch()
  const navigate = route.useNavigate()
  const libraries = useQuery(librariesQuery(api))
  const problems = useInfiniteQuery({
    queryKey: ['problems', library],
    queryFn: ({ pageParam }) =>
      api.problems({ ...(library && { library }), ...(pageParam !== '' && { cursor: pageParam }) }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    staleTime: 0,
  })
  return (
    <div className="narrow">
      {(libraries.data?.items.length ?? 0) > 1 ? (
        <Select
          label={say('library')}
          value={library ?? ''}
          options={[
            { value: '', label: say('allLibraries') },
            ...(libraries.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(value) => navigate({ search: value === '' ? {} : { library: value }, replace: true })}
        />
      ) : null}
      <Loaded query={problems} bones={<Bones shape="line" count={5} />}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          if (items.length === 0) {
            return (
              <EmptyState icon={CircleCheck} title={say('noProblemsTitle')} text={say('noProblemsText')} />
            )
          }
          return (
            <ul>
              {items.map((problem) => (
                <ProblemRow key={`${problem.library} ${problem.path} ${problem.code}`} problem={problem} />
              ))}
            </ul>
          )
        }}
      </Loaded>
      {problems.hasNextPage ? (
        <Button busy={problems.isFetchingNextPage} onClick={() => void problems.fetchNextPage()}>
          {say('showMore')}
        </Button>
      ) : null}
    </div>
  )
}

function ProblemRow({ problem }: { problem: ProblemSummary }) {
  const { say, format, problem: worded } = useWords()
  const { title, detail, help } = worded({ ...problem, type: 'about:blank', status: 422 })
  return (
    <li className="problem">
      <div className="row">
        <span className="badge badge-accent">{problem.code}</span>
        <span className="fine">
          {problem.libraryName} · {format.ago(problem.at)}
        </span>
      </div>
      <h3>{title}</h3>
      <code>{problem.path === '' ? say('wholeLibrary') : problem.path}</code>
      {detail === undefined ? null : (
        <p className="fine" lang="en">
          {detail}
        </p>
      )}
      <p>{help}</p>
    </li>
  )
}
