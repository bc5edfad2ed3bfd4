import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState } from 'react'
import type { ConnectionView } from '../../../src/protocol/api/outbox.ts'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { useNotify } from '../../app/notices.tsx'
import { connectionsQuery } from '../../app/queries.ts'
import { randomId } from '../../app/random-id.ts'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import './connections.css'

const ConnectionDialogs = lazy(() => import('./connection-dialogs.tsx'))

export type AskedFor = 'listenbrainz' | 'webhook' | 'lastfmKeys'

/** Where this account's plays are told: services that keep what someone hears, and webhooks. */
export function Connections() {
  const api = useApi()
  const account = useAccount()
  const { say } = useWords()
  const connections = useQuery(connectionsQuery(api))
  const [asked, setAsked] = useState<AskedFor>()
  useReturnFromLastfm()
  return (
    <section className="panel stack" id="connections">
      <h2>{say('connections')}</h2>
      <p className="soft">{say('connectionsText')}</p>
      <Loaded query={connections} bones={<Bones shape="line" count={2} />}>
        {({ items, lastfm }) => (
          <>
            {items.length === 0 ? <p>{say('noConnections')}</p> : null}
            <ul className="lines">
              {items.map((connection) => (
                <ConnectionLine key={connection.id} connection={connection} />
              ))}
            </ul>
            <div className="row connection-actions">
              <Button onClick={() => setAsked('listenbrainz')}>
                {say('connectService', { name: 'ListenBrainz' })}
              </Button>
              {lastfm === undefined ? null : (
                <Button onClick={() => goToLastfm(lastfm.authorizeUrl)}>
                  {say('connectService', { name: 'Last.fm' })}
                </Button>
              )}
              <Button onClick={() => setAsked('webhook')}>{say('addWebhook')}</Button>
              {account?.role === 'administrator' ? (
                <Button look="quiet" onClick={() => setAsked('lastfmKeys')}>
                  {say('setUpLastfm')}
                </Button>
              ) : null}
            </div>
          </>
        )}
      </Loaded>
      {asked === undefined ? null : (
        <Suspense fallback={null}>
          <ConnectionDialogs
            asked={asked}
            isAdministrator={account?.role === 'administrator'}
            onClose={() => setAsked(undefined)}
          />
        </Suspense>
      )}
    </section>
  )
}

function ConnectionLine({ connection }: { connection: ConnectionView }) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say, format, problem } = useWords()
  const [asking, setAsking] = useState(false)
  const [testing, setTesting] = useState(false)
  const { id, kind, url, account, needsAttention, waiting, dropped, deliveredAt, trouble } = connection
  const service = kind === 'webhook' ? say('webhook') : serviceName(kind)
  const name = account === undefined ? service : `${service} · ${account}`
  const facts = [
    deliveredAt === undefined
      ? say('nothingDelivered')
      : say('lastDelivered', { when: format.ago(deliveredAt) }),
    waiting > 0 ? say('waitingDeliveries', { count: waiting }) : undefined,
    dropped > 0 ? say('droppedDeliveries', { count: dropped }) : undefined,
    say('connectedSince', { date: format.date(connection.createdAt) }),
  ]
  const words = trouble && problem({ type: 'about:blank', status: 422, ...trouble })

  const attempt = async (action: () => Promise<unknown>, done?: string) => {
    try {
      await action()
      if (done !== undefined) notify(done)
    } catch (error) {
      notify(problemOf(error))
    }
    await queries.invalidateQueries(connectionsQuery(api))
  }
  const test = async () => {
    setTesting(true)
    await attempt(() => api.testConnection(id), say('testWorked', { name: service }))
    setTesting(false)
  }

  return (
    <li className="connection-line">
      <div className="connection">
        <b>{name}</b>{' '}
        {needsAttention ? <span className="badge badge-accent">{say('needsAttention')}</span> : null}
        <p className="fine connection-address">{url}</p>
        <p className="fine">{facts.filter((fact) => fact !== undefined).join(' · ')}</p>
        {words === undefined ? null : (
          <p className="connection-trouble">
            {words.title}
            {words.detail === undefined ? '' : ` (${words.detail})`}. {words.help}
          </p>
        )}
      </div>
      <span className="row">
        <Button busy={testing} aria-label={say('testNamed', { name })} onClick={() => void test()}>
          {say('testConnection')}
        </Button>
        <Button look="danger" aria-label={say('disconnectNamed', { name })} onClick={() => setAsking(true)}>
          {say('disconnect')}
        </Button>
      </span>
      {asking ? (
        <Confirm
          title={say('disconnectTitle', { name })}
          text={say('disconnectText')}
          action={say('disconnect')}
          onConfirm={() => void attempt(() => api.disconnect(id))}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </li>
  )
}

function serviceName(kind: 'listenbrainz' | 'lastfm'): string {
  return kind === 'listenbrainz' ? 'ListenBrainz' : 'Last.fm'
}

const stateKey = 'hocket.lastfm'

/**
 * Leaves for the page where Last.fm asks its user. What it comes back with counts only in the tab that left, so that
 * nobody can be lured into scrobbling to somebody else's account.
 */
function goToLastfm(authorizeUrl: string): void {
  const state = randomId()
  window.sessionStorage.setItem(stateKey, state)
  const target = new URL(authorizeUrl)
  target.searchParams.set('cb', `${window.location.origin}/settings?lastfm=${state}`)
  window.location.assign(target)
}

/** Connects with the token that Last.fm has added to our address, and takes it out of there. */
function useReturnFromLastfm(): void {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  useEffect(() => {
    const parameters = new URLSearchParams(window.location.search)
    const [state, token] = [parameters.get('lastfm'), parameters.get('token')]
    const expected = window.sessionStorage.getItem(stateKey)
    if (state === null || token === null || state !== expected) return
    window.sessionStorage.removeItem(stateKey)
    window.history.replaceState(window.history.state, '', '/settings')
    api
      .connect({ kind: 'lastfm', token })
      .then(() => notify(say('connectedTo', { name: 'Last.fm' })))
      .catch((error: unknown) => notify(problemOf(error)))
      .finally(() => void queries.invalidateQueries(connectionsQuery(api)))
  }, [api, queries, notify, say])
}
