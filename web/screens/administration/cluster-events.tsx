import { useQuery } from '@tanstack/react-query'
import type { ClusterEvent } from '../../../src/protocol/facts/cluster.ts'
import { clusterEventsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords, type Words } from '../../i18n/i18n.tsx'

/** What has happened, the newest first. */
export function ClusterEvents() {
  const { say, format } = useWords()
  const words = useWords()
  const events = useQuery(clusterEventsQuery(useApi()))
  return (
    <section className="panel">
      <h2>{say('events')}</h2>
      <Loaded query={events} bones={<Bones shape="line" count={3} />}>
        {({ events: all }) =>
          all.length === 0 ? (
            <p className="fine">{say('noEvents')}</p>
          ) : (
            <ol className="events" reversed>
              {all.map((event) => (
                <li key={`${event.at} ${event.kind} ${event.name ?? ''}`}>
                  <time dateTime={new Date(event.at).toISOString()} title={format.dateTime(event.at)}>
                    {format.ago(event.at)}
                  </time>
                  <span>{textOf(event, words)}</span>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </section>
  )
}

function textOf({ kind, name = '', amount = 0 }: ClusterEvent, { say, format }: Words): string {
  switch (kind) {
    case 'joined':
      return say('eventJoined', { name })
    case 'silent':
      return say('eventSilent', { name })
    case 'returned':
      return say('eventReturned', { name })
    case 'draining':
      return say('eventDraining', { name })
    case 'active':
      return say('eventActive', { name })
    case 'removed':
      return say('eventRemoved', { name })
    case 'layout':
      return say('eventLayout', { count: amount })
    case 'repaired':
      return say('eventRepaired')
    case 'unavailable':
      return say('eventUnavailable', { count: amount })
    case 'clock':
      return say('eventClock', { name, seconds: format.number(Math.round(amount / 1_000)) })
    case 'settings':
      return say('eventSettings')
  }
}
