import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { memo, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'

export interface GridShape {
  /** Narrowest an item may be, in pixels; 0 for a list, one item a row. */
  minWidth: number
  gap: number
  rowGap: number
  /** Height of an item of this width, known before it is drawn, so that the scroll bar never jumps. */
  height(width: number): number
}

/**
 * A grid of any length in the page's own scroll: only what is near the window is in the document. `onRange` hears
 * which items those are.
 */
export function VirtualGrid({
  count,
  shape,
  label,
  render,
  keyOf,
  onRange,
}: {
  count: number
  shape: GridShape
  label: string
  render: (index: number) => ReactNode
  keyOf?: (index: number) => string
  onRange?: (first: number, last: number) => void
}) {
  const ref = useRef<HTMLUListElement>(null)
  const [box, setBox] = useState({ width: 0, top: 0 })
  useLayoutEffect(() => {
    const list = ref.current
    if (list === null) return
    const measure = () => {
      const { width, top } = list.getBoundingClientRect()
      setBox({ width, top: top + window.scrollY })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(list)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [])

  const columns =
    shape.minWidth === 0 ? 1 : Math.max(1, Math.floor((box.width + shape.gap) / (shape.minWidth + shape.gap)))
  const width = Math.floor((box.width - shape.gap * (columns - 1)) / columns)
  const rowHeight = Math.round(shape.height(width) + shape.rowGap)
  const rows = Math.ceil(count / columns)
  const virtualizer = useWindowVirtualizer({
    count: rows,
    estimateSize: () => rowHeight,
    overscan: Math.max(2, Math.ceil(400 / rowHeight)),
    scrollMargin: box.top,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the sizes follow from the row's height.
  useLayoutEffect(() => virtualizer.measure(), [rowHeight, virtualizer])

  const shown = box.width === 0 ? [] : virtualizer.getVirtualItems()
  const first = (shown[0]?.index ?? 0) * columns
  const last = Math.min(count, ((shown.at(-1)?.index ?? 0) + 1) * columns) - 1
  useEffect(() => {
    if (box.width > 0) onRange?.(first, last)
  }, [onRange, first, last, box.width])

  return (
    <ul
      ref={ref}
      data-columns={columns}
      data-row-height={rowHeight}
      aria-label={label}
      style={{ position: 'relative', blockSize: rows * rowHeight }}
    >
      {shown.flatMap((row) =>
        Array.from({ length: Math.min(columns, count - row.index * columns) }, (_, column) => {
          const index = row.index * columns + column
          return (
            <li
              key={keyOf?.(index) ?? index}
              aria-setsize={count}
              aria-posinset={index + 1}
              style={{
                position: 'absolute',
                insetBlockStart: 0,
                insetInlineStart: 0,
                inlineSize: width,
                blockSize: rowHeight - shape.rowGap,
                transform: `translate(${column * (width + shape.gap)}px, ${row.start - box.top}px)`,
              }}
            >
              <Cell index={index} render={render} />
            </li>
          )
        }),
      )}
    </ul>
  )
}

/** Scrolling draws the grid anew at every step; what stands in it only when `render` has changed. */
const Cell = memo(function Cell({ index, render }: { index: number; render: (index: number) => ReactNode }) {
  return render(index)
})

/** Scrolls the grid of the screen to an item, whether it has been loaded or not. */
export function scrollToItem(index: number): void {
  const grid = document.querySelector<HTMLElement>('[data-row-height]')
  if (grid === null) return
  const row = Math.floor(index / Number(grid.dataset.columns))
  const top = grid.getBoundingClientRect().top + window.scrollY + row * Number(grid.dataset.rowHeight)
  window.scrollTo({ top: top - headerHeight })
}

/** What the top bar covers. */
const headerHeight = 80
