import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { clientName } from '../../app/client-name.ts'
import { useNotify } from '../../app/notices.tsx'
import { sessionsQuery, welcomeQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { shortcuts } from '../../app/shortcuts.ts'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { type Theme, useTheme } from '../../app/theme.ts'
import { Button, Choice, Field } from '../../components/controls.tsx'
import { formText } from '../../components/form-text.ts'
import { Page } from '../../components/page.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { type Language, useWords } from '../../i18n/i18n.tsx'
import { Connections } from './connections.tsx'
import { Devices } from './devices.tsx'
import { Shares } from './shares.tsx'

export function Settings() {
  const { say } = useWords()
  return (
    <Page title={say('settings')}>
      <div className="narrow">
        <Appearance />
        <Sound />
        <Password />
        <Devices />
        <Connections />
        <Shares />
        <Sessions />
        <Keys />
      </div>
    </Page>
  )
}

function Appearance() {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say, language } = useWords()
  const [theme, setTheme] = useTheme()
  const setLanguage = async (chosen: Language) => {
    try {
      const account = await api.changeMe({ language: chosen })
      queries.setQueryData(welcomeQuery(api).queryKey, (before) =>
        before === undefined ? before : { ...before, account },
      )
    } catch (error) {
      notify(problemOf(error))
    }
  }
  return (
    <section className="panel stack">
      <h2>{say('appearance')}</h2>
      <div className="row">
        <Choice<Theme>
          label={say('theme')}
          value={theme}
          onChange={setTheme}
          options={[
            { value: 'system', label: say('themeSystem') },
            { value: 'light', label: say('themeLight') },
            { value: 'dark', label: say('themeDark') },
          ]}
        />
        <Choice<Language>
          label={say('language')}
          value={language}
          onChange={(chosen) => void setLanguage(chosen)}
          options={[
            { value: 'en', label: 'English' },
            { value: 'es', label: 'Español' },
          ]}
        />
      </div>
    </section>
  )
}

function Sound() {
  const player = usePlayer()
  const { say } = useWords()
  const levelling = usePlayerState((state) => state.levelling)
  return (
    <section className="panel stack">
      <h2>{say('sound')}</h2>
      <p className="soft">{say('levellingText')}</p>
      <div>
        <Choice
          label={say('levelling')}
          value={levelling}
          onChange={player.setLevelling}
          options={[
            { value: 'off', label: say('levellingOff') },
            { value: 'track', label: say('levellingTrack') },
            { value: 'album', label: say('levellingAlbum') },
          ]}
        />
      </div>
    </section>
  )
}

function Password() {
  const api = useApi()
  const account = useAccount()
  const { say } = useWords()
  const notify = useNotify()
  const change = useMutation({
    mutationFn: async (form: FormData) => {
      await api.changeMe({ password: { old: formText(form, 'old'), new: formText(form, 'new') } })
      notify(say('passwordChanged'))
    },
  })
  return (
    <section className="panel">
      <h2>{say('password')}</h2>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          const form = event.currentTarget
          change.mutate(new FormData(form), { onSuccess: () => form.reset() })
        }}
      >
        <ProblemAlert problem={change.error === null ? undefined : problemOf(change.error)} />
        <input type="text" name="name" autoComplete="username" value={account?.name ?? ''} readOnly hidden />
        <Field label={say('oldPassword')}>
          {(ids) => (
            <input
              {...ids}
              className="input"
              type="password"
              name="old"
              required
              autoComplete="current-password"
            />
          )}
        </Field>
        <Field label={say('newPassword')} hint={say('passwordHint')}>
          {(ids) => (
            <input
              {...ids}
              className="input"
              type="password"
              name="new"
              required
              minLength={8}
              autoComplete="new-password"
            />
          )}
        </Field>
        <div>
          <Button type="submit" busy={change.isPending}>
            {say('changePassword')}
          </Button>
        </div>
      </form>
    </section>
  )
}

function Sessions() {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say, format } = useWords()
  const sessions = useQuery({ ...sessionsQuery(api), staleTime: 0 })
  const [ending, setEnding] = useState<string>()
  const end = async (id: string) => {
    setEnding(id)
    try {
      await api.endSession(id)
    } catch (error) {
      notify(problemOf(error))
    }
    setEnding(undefined)
    await queries.invalidateQueries(sessionsQuery(api))
  }
  return (
    <section className="panel">
      <h2>{say('sessions')}</h2>
      <Loaded query={sessions} bones={<Bones shape="line" count={2} />}>
        {({ items }) => (
          <ul className="lines">
            {items.map((session) => (
              <li key={session.id}>
                <div>
                  <b>{clientName(session.client)}</b>{' '}
                  {session.current ? <span className="badge badge-second">{say('thisOne')}</span> : null}
                  <p className="fine">{say('lastSeen', { when: format.ago(session.lastSeenAt) })}</p>
                </div>
                {session.current ? null : (
                  <Button look="danger" busy={ending === session.id} onClick={() => void end(session.id)}>
                    {say('endSession')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  )
}

function Keys() {
  const { say } = useWords()
  return (
    <section className="panel">
      <h2>{say('keys')}</h2>
      <ul className="lines">
        {shortcuts.map(({ keys, does }) => (
          <li key={does}>
            <span>{say(does)}</span>
            <span>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
