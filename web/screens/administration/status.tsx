import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { statusQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** How the server is. */
export function ServerStatus() {
  const { say, format } = useWords()
  const status = useQuery(statusQuery(useApi()))
  return (
    <Loaded query={status} bones={<Bones shape="line" count={6} />}>
      {({ version, startedAt, store, index, memory, eventLoopDelay, disk, streams, transcodes, counts }) => (
        <dl className="gauges">
          <Gauge
            name={say('version')}
            value={version}
            note={say('startedAgo', { when: format.ago(startedAt) })}
          />
          <Gauge
            name={say('music')}
            value={say('songCount', { count: counts.tracks })}
            note={`${format.bytes(counts.bytes)} · ${format.duration(counts.durationMs)}`}
          />
          <Gauge
            name={say('streams')}
            value={format.number(streams)}
            note={say('transcodesLine', { running: transcodes.running, waiting: transcodes.waiting })}
          />
          <Gauge
            name={say('diskFree')}
            value={format.bytes(disk.free)}
            note={say('bytesUsed', {
              part: format.bytes(disk.total - disk.free),
              whole: format.bytes(disk.total),
            })}
          />
          <Gauge
            name={say('memory')}
            value={format.bytes(memory.rss)}
            note={say('heap', { bytes: format.bytes(memory.heapUsed) })}
          />
          <Gauge
            name={say('delay')}
            value={`${format.number(Math.round(eventLoopDelay.p99 * 10) / 10)} ms`}
            note={say('delayNote', { max: format.number(Math.round(eventLoopDelay.max)) })}
          />
          <Gauge
            name={say('store')}
            value={store === null ? say('noAnswer') : format.bytes(store.bytes)}
            note={store === null ? '' : say('revision', { number: format.number(store.revision) })}
          />
          <Gauge
            name={say('index')}
            value={say(index.state === 'filling' ? 'indexFilling' : 'indexFollowing')}
            note={say('behind', { count: index.behind })}
          />
        </dl>
      )}
    </Loaded>
  )
}

function Gauge({ name, value, note }: { name: string; value: string; note: ReactNode }) {
  return (
    <div className="gauge">
      <dt>{name}</dt>
      <dd>{value}</dd>
      <dd className="gauge-note">{note}</dd>
    </div>
  )
}
