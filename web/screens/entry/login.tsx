import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { problemOf } from '../../api/problem.ts'
import { useSignedIn } from '../../app/account.ts'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { formText } from '../../components/form-text.ts'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { Entry, NameAndPassword } from './entry.tsx'

const route = getRouteApi('/login')

export function Login() {
  const api = useApi()
  const { say } = useWords()
  const { to } = route.useSearch()
  const signedIn = useSignedIn()
  const signIn = useMutation({
    mutationFn: async (form: FormData) => {
      const { account } = await api.signIn({
        name: formText(form, 'name'),
        password: formText(form, 'password'),
      })
      await signedIn(account, to)
    },
  })
  const problem = signIn.error === null ? undefined : problemOf(signIn.error)
  return (
    <Entry title={say('signInTitle')} text={say('signInText')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate(new FormData(event.currentTarget))
        }}
      >
        <ProblemAlert problem={problem} />
        <NameAndPassword isNew={false} problem={problem} />
        <Button look="primary" type="submit" busy={signIn.isPending}>
          {say('signIn')}
        </Button>
      </form>
    </Entry>
  )
}
