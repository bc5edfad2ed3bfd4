import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import type { DeviceSummary } from '../../../src/protocol/api/accounts.ts'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { useNotify } from '../../app/notices.tsx'
import { devicesQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Field } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

const ConnectDialog = lazy(() => import('./connect-dialog.tsx'))

/** Other apps sign in with a secret of their own, never with the password; each is shown once, when it is made. */
export function Devices() {
  const api = useApi()
  const attempt = useAttempt()
  const { say } = useWords()
  const account = useAccount()
  const devices = useQuery(devicesQuery(api))
  const [label, setLabel] = useState('')
  const [made, setMade] = useState<{ label: string; secret: string }>()

  const make = () =>
    attempt(async () => {
      const { device, secret } = await api.makeDevice(label.trim())
      setMade({ label: device.label, secret })
      setLabel('')
    })
  return (
    <section className="panel stack">
      <h2>{say('apps')}</h2>
      <p className="soft">{say('appsText')}</p>
      <p className="soft">{say('passwordDoesNotWork')}</p>
      <Loaded query={devices} bones={<Bones shape="line" count={2} />}>
        {({ items }) => (
          <ul className="lines">
            {items.map((device) => (
              <DeviceLine
                key={device.id}
                device={device}
                onRevoke={() => void attempt(() => api.removeDevice(device.id))}
              />
            ))}
          </ul>
        )}
      </Loaded>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void make()
        }}
      >
        <Field label={say('newApp')} hint={say('newAppHint')}>
          {(ids) => (
            <input
              {...ids}
              className="input"
              required
              maxLength={100}
              value={label}
              onChange={(event) => setLabel(event.currentTarget.value)}
            />
          )}
        </Field>
        <div>
          <Button type="submit">{say('makeSecret')}</Button>
        </div>
      </form>
      {made === undefined || account === undefined ? null : (
        <Suspense fallback={null}>
          <ConnectDialog
            label={made.label}
            connection={{ server: window.location.origin, user: account.name, secret: made.secret }}
            onClose={() => setMade(undefined)}
          />
        </Suspense>
      )}
    </section>
  )
}

/** Does it, says why where it fails, and loads the apps again. */
function useAttempt() {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  return async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      notify(problemOf(error))
    }
    await queries.invalidateQueries(devicesQuery(api))
  }
}

function DeviceLine({ device, onRevoke }: { device: DeviceSummary; onRevoke(): void }) {
  const { say, format } = useWords()
  const [asking, setAsking] = useState(false)
  return (
    <li>
      <div>
        <b>{device.label}</b>
        <p className="fine">
          {say('madeOn', { date: format.date(device.createdAt) })} ·{' '}
          {device.lastUsedAt === undefined
            ? say('neverUsed')
            : say('lastUsed', { when: format.ago(device.lastUsedAt) })}
        </p>
      </div>
      <Button
        look="danger"
        aria-label={say('revokeNamed', { name: device.label })}
        onClick={() => setAsking(true)}
      >
        {say('revoke')}
      </Button>
      {asking ? (
        <Confirm
          title={say('revokeTitle', { name: device.label })}
          text={say('revokeText')}
          action={say('revoke')}
          onConfirm={onRevoke}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </li>
  )
}
