import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNotify } from '../../app/notices.tsx'
import { connectionsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Field } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { formText } from '../../components/form-text.ts'
import { useWords } from '../../i18n/i18n.tsx'
import type { AskedFor } from './connections.tsx'

interface Asking {
  onClose(): void
}

/** What is asked for to connect something, each in a dialog of its own. */
export default function ConnectionDialogs({
  asked,
  isAdministrator,
  onClose,
}: Asking & { asked: AskedFor; isAdministrator: boolean }) {
  if (asked === 'listenbrainz') return <ListenBrainzDialog onClose={onClose} />
  if (asked === 'webhook') return <WebhookDialog isAdministrator={isAdministrator} onClose={onClose} />
  return <LastfmKeysDialog onClose={onClose} />
}

/** Says that it is done, and shows the connections anew. */
function useConnected() {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  return async (text: string) => {
    notify(text)
    await queries.invalidateQueries(connectionsQuery(api))
  }
}

function ListenBrainzDialog({ onClose }: Asking) {
  const api = useApi()
  const connected = useConnected()
  const { say } = useWords()
  const name = 'ListenBrainz'
  return (
    <FormDialog
      title={say('connectService', { name })}
      action={say('connectService', { name })}
      onClose={onClose}
      onSubmit={async (form) => {
        const url = formText(form, 'url').trim()
        await api.connect({
          kind: 'listenbrainz',
          token: formText(form, 'token').trim(),
          ...(url !== '' && { url }),
        })
        await connected(say('connectedTo', { name }))
        onClose()
      }}
    >
      <Field label={say('userToken')} hint={say('listenbrainzTokenHint')}>
        {(ids) => (
          <input {...ids} className="input" name="token" required autoComplete="off" type="password" />
        )}
      </Field>
      <Field label={say('listenbrainzServer')} hint={say('listenbrainzServerHint')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            name="url"
            type="url"
            placeholder="https://api.listenbrainz.org"
          />
        )}
      </Field>
    </FormDialog>
  )
}

const events = [
  { type: 'play.finished', word: 'eventPlay', administrators: false },
  { type: 'upload.finished', word: 'eventUpload', administrators: false },
  { type: 'library.scanned', word: 'eventScan', administrators: true },
  { type: 'cluster.changed', word: 'eventCluster', administrators: true },
] as const

function WebhookDialog({ isAdministrator, onClose }: Asking & { isAdministrator: boolean }) {
  const api = useApi()
  const connected = useConnected()
  const { say } = useWords()
  const [secret, setSecret] = useState<string>()
  if (secret !== undefined) {
    return (
      <Dialog title={say('webhookSecretTitle')} onClose={onClose}>
        <div className="stack">
          <p>{say('webhookSecretText')}</p>
          <CopyLine label={say('webhookSecret')} value={secret} />
          <div className="dialog-actions">
            <Button look="primary" onClick={onClose}>
              {say('close')}
            </Button>
          </div>
        </div>
      </Dialog>
    )
  }
  return (
    <FormDialog
      title={say('addWebhook')}
      action={say('addWebhook')}
      onClose={onClose}
      onSubmit={async (form) => {
        const chosen = events.map(({ type }) => type).filter((type) => form.has(type))
        const made = await api.connect({ kind: 'webhook', url: formText(form, 'url').trim(), events: chosen })
        await connected(say('connectedTo', { name: say('webhook') }))
        setSecret(made.secret)
      }}
    >
      <Field label={say('webhookUrl')} hint={say('webhookUrlHint')}>
        {(ids) => <input {...ids} className="input" name="url" type="url" required placeholder="https://" />}
      </Field>
      <fieldset
        className="connection-events"
        onChange={({ currentTarget }) => requireOne(currentTarget, say('webhookEventsNone'))}
      >
        <legend>{say('webhookEvents')}</legend>
        {events
          .filter(({ administrators }) => isAdministrator || !administrators)
          .map(({ type, word }) => (
            <label key={type} className="row">
              <input type="checkbox" name={type} defaultChecked={type === 'play.finished'} />
              {say(word)}
            </label>
          ))}
      </fieldset>
    </FormDialog>
  )
}

/** Browsers can require one of several radio buttons, but not of checkboxes: the first one complains for them all. */
function requireOne(group: HTMLFieldSetElement, complaint: string) {
  const boxes = [...group.querySelectorAll('input')]
  boxes[0]?.setCustomValidity(boxes.some(({ checked }) => checked) ? '' : complaint)
}

function LastfmKeysDialog({ onClose }: Asking) {
  const api = useApi()
  const connected = useConnected()
  const { say } = useWords()
  return (
    <FormDialog
      title={say('setUpLastfm')}
      action={say('save')}
      onClose={onClose}
      onSubmit={async (form) => {
        await api.setLastfm({
          apiKey: formText(form, 'apiKey').trim(),
          sharedSecret: formText(form, 'sharedSecret').trim(),
          apiUrl: formText(form, 'apiUrl').trim(),
          authorizeUrl: formText(form, 'authorizeUrl').trim(),
        })
        await connected(say('lastfmReady'))
        onClose()
      }}
    >
      <p className="soft">{say('lastfmKeysText')}</p>
      <Field label={say('lastfmApiKey')}>
        {(ids) => <input {...ids} className="input" name="apiKey" required autoComplete="off" />}
      </Field>
      <Field label={say('lastfmSecret')}>
        {(ids) => (
          <input {...ids} className="input" name="sharedSecret" required autoComplete="off" type="password" />
        )}
      </Field>
      <Field label={say('lastfmApiUrl')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            name="apiUrl"
            type="url"
            required
            defaultValue="https://ws.audioscrobbler.com/2.0/"
          />
        )}
      </Field>
      <Field label={say('lastfmAuthorizeUrl')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            name="authorizeUrl"
            type="url"
            required
            defaultValue="https://www.last.fm/api/auth/"
          />
        )}
      </Field>
    </FormDialog>
  )
}
