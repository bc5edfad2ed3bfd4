import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { useNotify } from '../../app/notices.tsx'
import { devicesQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Field } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** Other apps sign in with a secret of their own, never with the password; each is shown once, when it is made. */
export function Devices() {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say, format } = useWords()
  const devices = useQuery(devicesQuery(api))
  const [label, setLabel] = useState('')
  const [made, setMade] = useState<{ label: string; secret: string }>()

  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      notify(problemOf(error))
    }
    await queries.invalidateQueries(devicesQuery(api))
  }
  const make = () =>
    attempt(async () => {
      const { device, secret } = await api.makeDevice(label.trim())
      setMade({ label: device.label, secret })
      setLabel('')
    })

  return (
    <section className="panel">
      <h2>{say('apps')}</h2>
      <p className="soft">{say('appsText')}</p>
      <Loaded query={devices} bones={<Bones shape="line" count={2} />}>
        {({ items }) => (
          <ul className="lines">
            {items.map((device) => (
              <li key={device.id}>
                <div>
                  <b>{device.label}</b>
                  <p className="fine">
                    {device.lastUsedAt === undefined
                      ? say('neverUsed')
                      : say('lastUsed', { when: format.ago(device.lastUsedAt) })}
                  </p>
                </div>
                <Button look="danger" onClick={() => void attempt(() => api.removeDevice(device.id))}>
                  {say('revoke')}
                </Button>
              </li>
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
      {made === undefined ? null : <SecretDialog {...made} onClose={() => setMade(undefined)} />}
    </section>
  )
}

function SecretDialog({ label, secret, onClose }: { label: string; secret: string; onClose(): void }) {
  const { say } = useWords()
  const account = useAccount()
  return (
    <Dialog title={label} onClose={onClose}>
      <p className="soft">{say('secretOnce')}</p>
      <CopyLine label={say('userName')} value={account?.name ?? ''} />
      <CopyLine label={say('secret')} value={secret} />
      <div className="dialog-actions">
        <Button look="primary" onClick={onClose}>
          {say('secretKept')}
        </Button>
      </div>
    </Dialog>
  )
}
