import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, Navigate } from '@tanstack/react-router'
import { FolderPlus, Upload } from 'lucide-react'
import { useState } from 'react'
import { problemOf } from '../../api/problem.ts'
import { useSignedIn } from '../../app/account.ts'
import { librariesQuery, welcomeQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Field } from '../../components/controls.tsx'
import { formText } from '../../components/form-text.ts'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { Entry, NameAndPassword } from './entry.tsx'

/** The first visit of all: makes the administrator, then asks where the music is, unless that was said at the start. */
export function Setup() {
  const api = useApi()
  const { say, language } = useWords()
  const welcome = useQuery(welcomeQuery(api))
  const signedIn = useSignedIn()
  const [done, setDone] = useState(false)
  const setUp = useMutation({
    mutationFn: async (form: FormData) => {
      const code = formText(form, 'code').trim()
      const { account } = await api.setUp({
        name: formText(form, 'name'),
        password: formText(form, 'password'),
        language,
        ...(code === '' ? {} : { code }),
      })
      setDone(true)
      await signedIn(account, '/setup')
    },
  })
  if (done) return <FirstMusic />
  if (welcome.data !== undefined && !welcome.data.needsSetup) return <Navigate to="/" />
  const problem = setUp.error === null ? undefined : problemOf(setUp.error)
  return (
    <Entry title={say('setupTitle')} text={say('setupText')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          setUp.mutate(new FormData(event.currentTarget))
        }}
      >
        <ProblemAlert problem={problem} />
        {welcome.data?.needsSetupCode === true ? (
          <Field label={say('setupCode')} hint={say('setupCodeHint')}>
            {(ids) => (
              <input {...ids} className="input" name="code" required autoComplete="off" spellCheck={false} />
            )}
          </Field>
        ) : null}
        <NameAndPassword isNew problem={problem} />
        <Button look="primary" type="submit" busy={setUp.isPending}>
          {say('makeAccount')}
        </Button>
      </form>
    </Entry>
  )
}

function FirstMusic() {
  const { say } = useWords()
  const libraries = useQuery(librariesQuery(useApi()))
  if (libraries.isPending) return null
  if (libraries.data?.items.some(({ kind }) => kind === 'folder')) return <Navigate to="/" />
  return (
    <Entry title={say('firstMusicTitle')} text={say('firstMusicText')}>
      <div className="entry-ways">
        <Link to="/administration" search={{}} className="entry-way">
          <FolderPlus size={28} aria-hidden />
          <b>{say('addMusicFolder')}</b>
          <span>{say('addMusicFolderText')}</span>
        </Link>
        <Link to="/uploads" className="entry-way">
          <Upload size={28} aria-hidden />
          <b>{say('uploadMusic')}</b>
          <span>{say('uploadMusicText')}</span>
        </Link>
      </div>
      <Link to="/" className="button button-quiet">
        {say('later')}
      </Link>
    </Entry>
  )
}
