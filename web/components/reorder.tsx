import { GripVertical } from 'lucide-react'
import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react'
import { useWords } from '../i18n/i18n.tsx'
import './reorder.css'

interface Drag {
  from: number
  to: number
}

/**
 * Reordering of rows that are all equally high: by dragging a handle with mouse or finger, or with the arrow keys while
 * the handle has the focus. `announcement` belongs into a live region.
 */
export function useReorder({
  count,
  rowHeight,
  onMove,
}: {
  count: number
  rowHeight: number
  onMove(from: number, to: number): void
}) {
  const { say } = useWords()
  const [drag, setDrag] = useState<Drag>()
  const [announcement, setAnnouncement] = useState('')
  const startY = useRef(0)
  const focusNext = useRef<number>(undefined)

  function finish() {
    if (drag !== undefined && drag.from !== drag.to) onMove(drag.from, drag.to)
    setDrag(undefined)
  }

  function handle(index: number, name: string) {
    return (
      <button
        type="button"
        className="reorder"
        aria-label={say('moveNamed', { name })}
        title={say('moveHint')}
        ref={(element) => {
          if (element === null || focusNext.current !== index) return
          focusNext.current = undefined
          element.focus()
        }}
        onPointerDown={(event: PointerEvent<HTMLButtonElement>) => {
          if (event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          startY.current = event.clientY + window.scrollY
          setDrag({ from: index, to: index })
        }}
        onPointerMove={(event: PointerEvent<HTMLButtonElement>) => {
          if (drag === undefined) return
          scrollAtEdges(event.clientY)
          const rows = Math.round((event.clientY + window.scrollY - startY.current) / rowHeight)
          setDrag({ from: drag.from, to: Math.min(Math.max(drag.from + rows, 0), count - 1) })
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
        onKeyDown={(event: KeyboardEvent<HTMLButtonElement>) => {
          const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
          const to = index + by
          if (by === 0 || to < 0 || to >= count) return
          event.preventDefault()
          focusNext.current = to
          onMove(index, to)
          setAnnouncement(say('movedTo', { name, position: to + 1, total: count }))
        }}
      >
        <GripVertical size={18} aria-hidden />
      </button>
    )
  }

  /** What a row wears while something is dragged: the row itself, or the place where it would land. */
  function markOf(index: number): 'dragged' | 'above' | 'below' | undefined {
    if (drag === undefined) return undefined
    if (index === drag.from) return 'dragged'
    if (index !== drag.to) return undefined
    return drag.to < drag.from ? 'above' : 'below'
  }

  return { handle, markOf, announcement }
}

const edge = 90

function scrollAtEdges(y: number) {
  if (y < edge) window.scrollBy(0, -12)
  else if (y > window.innerHeight - edge * 1.5) window.scrollBy(0, 12)
}
