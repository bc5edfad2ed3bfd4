import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { problemOf } from '../../api/problem.ts'
import { useSignedIn } from '../../app/account.ts'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { formText } from '../../components/form-text.ts'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { Entry, NameAndPassword } from './entry.tsx'

const route = getRouteApi('/invitation/$token')

/** Someone followed an invitation link: who invites, and the new account. */
export function Invitation() {
  const api = useApi()
  const { say, format, language } = useWords()
  const { token } = route.useParams()
  const offer = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => api.invitationOffer(token),
    retry: false,
  })
  const signedIn = useSignedIn()
  const accept = useMutation({
    mutationFn: async (form: FormData) => {
      const input = { name: formText(form, 'name'), password: formText(form, 'password'), language }
      const { account } = await api.acceptInvitation(token, input)
      await signedIn(account)
    },
  })
  const problem = accept.error === null ? undefined : problemOf(accept.error)
  return (
    <Entry
      title={say('invitationTitle')}
      text={
        offer.data === undefined
          ? undefined
          : say('invitationText', { name: offer.data.invitedBy, until: format.date(offer.data.expiresAt) })
      }
    >
      <Loaded query={offer} bones={<Bones shape="line" count={3} />}>
        {() => (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              accept.mutate(new FormData(event.currentTarget))
            }}
          >
            <ProblemAlert problem={problem} />
            <NameAndPassword isNew problem={problem} />
            <Button look="primary" type="submit" busy={accept.isPending}>
              {say('makeAccount')}
            </Button>
          </form>
        )}
      </Loaded>
    </Entry>
  )
}
