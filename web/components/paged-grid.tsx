import { type QueryKey, useQueries, useQuery } from '@tanstack/react-query'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import type { Page } from '../../src/protocol/api/catalog.ts'
import type { Place } from '../api/api.ts'
import { problemOf } from '../api/problem.ts'
import { ProblemState } from './states.tsx'
import { type GridShape, VirtualGrid } from './virtual-grid.tsx'

const pageSize = 60

/** Everything that matches, however much: pages are fetched as they come near the window, from any place. */
export function PagedGrid<T>({
  queryKey,
  fetchPage,
  shape,
  label,
  render,
  bones,
  bone,
  empty,
  onTotal,
}: {
  queryKey: QueryKey
  fetchPage: (place: Place, signal: AbortSignal) => Promise<Page<T>>
  shape: GridShape
  label: string
  /** `at` looks at the neighbours, where they are loaded. */
  render: (item: T, index: number, at: (index: number) => T | undefined) => ReactNode
  /** While nothing is known, and for one item whose page is still on its way. */
  bones: ReactNode
  bone: ReactNode
  empty: ReactNode
  /** Hears how many there are; undefined where nobody has counted them. */
  onTotal: (total: number | undefined) => void
}) {
  const [pages, setPages] = useState<readonly number[]>([0])
  const onRange = useCallback((first: number, last: number) => {
    const from = Math.floor(Math.max(first, 0) / pageSize)
    const to = Math.floor(Math.max(last, 0) / pageSize)
    setPages((before) =>
      before[0] === from && before.at(-1) === to
        ? before
        : Array.from({ length: to - from + 1 }, (_, i) => from + i),
    )
  }, [])
  const pageQuery = (page: number) => ({
    queryKey: [...queryKey, 'page', page],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      fetchPage({ offset: page * pageSize, limit: pageSize }, signal),
  })
  const start = useQuery(pageQuery(0))
  const loaded = useQueries({ queries: pages.map(pageQuery) })
  // A list whose length nobody has counted ends where the furthest page does, and in one more item if that is not the last.
  const [furthest, setFurthest] = useState(0)
  const end = Math.max(
    endOf(0, start.data),
    furthest,
    ...pages.map((page, at) => endOf(page, loaded[at]?.data)),
  )
  useEffect(() => setFurthest(end), [end])
  const total = start.data?.total
  useEffect(() => onTotal(total), [onTotal, total])

  if (start.data === undefined) {
    if (start.error === null) return bones
    return <ProblemState problem={problemOf(start.error)} retry={() => start.refetch()} />
  }
  const count = total ?? end
  if (count === 0) return empty
  const at = (index: number): T | undefined => {
    const page = Math.floor(index / pageSize)
    const data = page === 0 ? start.data : loaded[pages.indexOf(page)]?.data
    return data?.items[index % pageSize]
  }
  return (
    <VirtualGrid
      count={count}
      shape={shape}
      label={label}
      onRange={onRange}
      render={(index) => {
        const item = at(index)
        return item === undefined ? bone : render(item, index, at)
      }}
    />
  )
}

/** How many items there are at least, by what a page shows. */
function endOf(page: number, data: Page<unknown> | undefined): number {
  if (data === undefined) return 0
  return page * pageSize + data.items.length + (data.next === undefined ? 0 : 1)
}
