import { useVirtualizer } from '@tanstack/react-virtual'
import { ListMusic, Trash2, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { coverOf } from '../../api/media.ts'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { Button, IconButton } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { Sounding } from '../../components/logo.tsx'
import { useReorder } from '../../components/reorder.tsx'
import { EmptyState } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import type { Entry } from '../../player/queue.ts'
import './queue.css'

const rowHeight = 60

/** What plays and what comes, in a box that scrolls by itself. */
export function QueueList() {
  const player = usePlayer()
  const { say, format } = useWords()
  const entries = usePlayerState((state) => state.queue.entries)
  const current = usePlayerState((state) => state.queue.current)
  const box = useRef<HTMLDivElement>(null)
  const reorder = useReorder({ count: entries.length, rowHeight, onMove: player.move })
  const virtualizer = useVirtualizer({
    count: entries.length,
    estimateSize: () => rowHeight,
    getScrollElement: () => box.current,
    getItemKey: (index) => entries[index]?.key ?? index,
    overscan: 8,
  })
  useEffect(() => {
    if (current >= 0) virtualizer.scrollToIndex(Math.max(0, current - 1), { align: 'start' })
  }, [current, virtualizer])

  if (entries.length === 0) {
    return <EmptyState icon={ListMusic} title={say('queueEmptyTitle')} text={say('queueEmptyText')} />
  }
  const leftMs = entries.slice(Math.max(current, 0)).reduce((sum, entry) => sum + entry.track.durationMs, 0)
  return (
    <>
      <div className="queue-note">
        <p className="fine">
          {say('songCount', { count: entries.length })} ·{' '}
          {say('timeLeft', { duration: format.duration(leftMs) })}
        </p>
        <Button look="quiet" icon={Trash2} disabled={entries.length < 2} onClick={player.clear}>
          {say('clearQueue')}
        </Button>
      </div>
      <div ref={box} className="queue-box">
        <ol style={{ position: 'relative', blockSize: virtualizer.getTotalSize() }} aria-label={say('queue')}>
          {virtualizer.getVirtualItems().map((row) => {
            const entry = entries[row.index]
            if (entry === undefined) return null
            return (
              <li
                key={row.key}
                aria-setsize={entries.length}
                aria-posinset={row.index + 1}
                data-mark={reorder.markOf(row.index)}
                style={{ position: 'absolute', insetInline: 0, transform: `translateY(${row.start}px)` }}
              >
                <QueueRow
                  entry={entry}
                  index={row.index}
                  current={current}
                  handle={reorder.handle(row.index, entry.track.title)}
                />
              </li>
            )
          })}
        </ol>
      </div>
      <p className="visually-hidden" aria-live="polite">
        {reorder.announcement}
      </p>
    </>
  )
}

function QueueRow({
  entry,
  index,
  current,
  handle,
}: {
  entry: Entry
  index: number
  current: number
  handle: React.ReactNode
}) {
  const player = usePlayer()
  const { say } = useWords()
  const { track } = entry
  const sounds = index === current
  const paused = usePlayerState((state) => sounds && state.status !== 'playing')
  return (
    <div className="queue-row" data-past={index < current || undefined} data-current={sounds || undefined}>
      {handle}
      <span className="queue-cover">
        <Cover of={coverOf(track)} size={64} />
        {sounds ? (
          <span className="sounding-veil">
            <Sounding paused={paused} />
          </span>
        ) : null}
      </span>
      <button
        type="button"
        className="queue-text"
        aria-current={sounds || undefined}
        onClick={() => (sounds ? player.toggle() : player.jumpTo(index))}
      >
        <span className="visually-hidden">{say('play')}</span>
        <b dir="auto">{track.title}</b>
        <span dir="auto">{track.artist}</span>
      </button>
      <IconButton
        icon={X}
        size={17}
        label={say('removeNamed', { name: track.title })}
        onClick={() => player.remove(index)}
      />
    </div>
  )
}
