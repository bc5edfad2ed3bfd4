import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link2, UserPlus } from 'lucide-react'
import { useState } from 'react'
import type { Account } from '../../../src/protocol/api/accounts.ts'
import type { Role } from '../../../src/protocol/facts/accounts.ts'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { useNotify } from '../../app/notices.tsx'
import { invitationsQuery, usersQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, Choice, Field, Switch } from '../../components/controls.tsx'
import { CopyLine } from '../../components/copy-line.tsx'
import { Confirm, Dialog } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { formText } from '../../components/form-text.ts'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { NameAndPassword } from '../entry/entry.tsx'

export function Users() {
  const { say } = useWords()
  const users = useQuery(usersQuery(useApi()))
  const [making, setMaking] = useState<'user' | 'invitation'>()
  const close = () => setMaking(undefined)
  return (
    <div className="narrow">
      <section className="panel">
        <h2>{say('users')}</h2>
        <Loaded query={users} bones={<Bones shape="line" count={3} />}>
          {({ items }) => (
            <ul className="lines">
              {items.map((user) => (
                <UserRow key={user.id} user={user} />
              ))}
            </ul>
          )}
        </Loaded>
        <div className="row">
          <Button look="primary" icon={Link2} onClick={() => setMaking('invitation')}>
            {say('invite')}
          </Button>
          <Button icon={UserPlus} onClick={() => setMaking('user')}>
            {say('makeUser')}
          </Button>
        </div>
      </section>
      <Invitations />
      {making === 'user' ? <UserDialog onClose={close} /> : null}
      {making === 'invitation' ? <InvitationDialog onClose={close} /> : null}
    </div>
  )
}

/** Does it, says why where it fails, and loads the accounts again. */
function useAttempt() {
  const queries = useQueryClient()
  const notify = useNotify()
  return async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      notify(problemOf(error))
    }
    await queries.invalidateQueries({ queryKey: ['accounts'] })
  }
}

function UserRow({ user }: { user: Account }) {
  const api = useApi()
  const { say, format } = useWords()
  const attempt = useAttempt()
  const me = useAccount()
  const [open, setOpen] = useState<'remove' | 'edit'>()
  const close = () => setOpen(undefined)
  return (
    <li>
      <div>
        <b>{user.name}</b>{' '}
        {user.role === 'administrator' ? (
          <span className="badge badge-second">{say('administrator')}</span>
        ) : null}{' '}
        {user.disabled ? <span className="badge badge-accent">{say('disabled')}</span> : null}
        <p className="fine">
          {say('memberSince', { date: format.date(user.createdAt) })} ·{' '}
          {say('uploadedBytes', { bytes: format.bytes(user.usedBytes) })}
        </p>
      </div>
      <Button look="quiet" onClick={() => setOpen('edit')}>
        {say('edit')}
      </Button>
      {user.id === me?.id ? null : (
        <Button look="danger" onClick={() => setOpen('remove')}>
          {say('remove')}
        </Button>
      )}
      {open === 'edit' ? <EditUserDialog user={user} mine={user.id === me?.id} onClose={close} /> : null}
      {open === 'remove' ? (
        <Confirm
          title={say('removeUserTitle', { name: user.name })}
          text={say('removeUserText')}
          action={say('remove')}
          onConfirm={() => void attempt(() => api.removeUser(user.id))}
          onClose={close}
        />
      ) : null}
    </li>
  )
}

function EditUserDialog({ user, mine, onClose }: { user: Account; mine: boolean; onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const [role, setRole] = useState<Role>(user.role)
  const [disabled, setDisabled] = useState(user.disabled)
  const gigabyte = 1_000_000_000
  const save = async (form: FormData) => {
    const password = formText(form, 'password')
    const quota = formText(form, 'quota').trim()
    await api.changeUser(user.id, {
      ...(mine ? {} : { role, disabled }),
      quotaBytes: quota === '' ? null : Math.round(Number(quota) * gigabyte),
      ...(password === '' ? {} : { password }),
    })
    await queries.invalidateQueries({ queryKey: ['accounts'] })
    onClose()
  }
  return (
    <FormDialog title={user.name} action={say('save')} onSubmit={save} onClose={onClose}>
      {mine ? null : (
        <>
          <RoleChoice role={role} onChange={setRole} />
          <Switch checked={disabled} onChange={(checked) => setDisabled(checked)}>
            {say('disableUser')}
          </Switch>
        </>
      )}
      <Field label={say('quota')} hint={say('quotaHint')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            type="number"
            name="quota"
            min={0}
            step="any"
            defaultValue={user.quotaBytes === undefined ? '' : user.quotaBytes / gigabyte}
          />
        )}
      </Field>
      <Field label={say('newPassword')} hint={say('newPasswordOfUserHint')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            type="password"
            name="password"
            minLength={8}
            autoComplete="new-password"
          />
        )}
      </Field>
    </FormDialog>
  )
}

function RoleChoice({ role, onChange }: { role: Role; onChange(role: Role): void }) {
  const { say } = useWords()
  return (
    <Choice<Role>
      label={say('role')}
      value={role}
      onChange={onChange}
      options={[
        { value: 'user', label: say('user') },
        { value: 'administrator', label: say('administrator') },
      ]}
    />
  )
}

function UserDialog({ onClose }: { onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const [role, setRole] = useState<Role>('user')
  const make = async (form: FormData) => {
    await api.makeUser({ name: formText(form, 'name'), password: formText(form, 'password'), role })
    await queries.invalidateQueries({ queryKey: ['accounts'] })
    onClose()
  }
  return (
    <FormDialog title={say('makeUser')} action={say('makeAccount')} onSubmit={make} onClose={onClose}>
      {(problem) => (
        <>
          <NameAndPassword isNew problem={problem} />
          <RoleChoice role={role} onChange={setRole} />
        </>
      )}
    </FormDialog>
  )
}

/** Makes an invitation link, which is shown once. */
function InvitationDialog({ onClose }: { onClose(): void }) {
  const api = useApi()
  const queries = useQueryClient()
  const { say, format } = useWords()
  const [role, setRole] = useState<Role>('user')
  const [made, setMade] = useState<{ link: string; expiresAt: number }>()
  const make = async (form: FormData) => {
    const note = formText(form, 'note').trim()
    const { invitation, token } = await api.invite({ role, ...(note === '' ? {} : { note }) })
    setMade({ link: `${window.location.origin}/invitation/${token}`, expiresAt: invitation.expiresAt })
    await queries.invalidateQueries({ queryKey: ['accounts'] })
  }
  if (made !== undefined) {
    return (
      <Dialog title={say('invite')} onClose={onClose}>
        <CopyLine label={say('invitationLink')} value={made.link} />
        <p className="soft">{say('linkUntil', { date: format.date(made.expiresAt) })}</p>
      </Dialog>
    )
  }
  return (
    <FormDialog title={say('invite')} action={say('makeLink')} onSubmit={make} onClose={onClose}>
      <p className="soft">{say('inviteText')}</p>
      <RoleChoice role={role} onChange={setRole} />
      <Field label={say('note')} hint={say('noteHint')}>
        {(ids) => <input {...ids} className="input" name="note" maxLength={200} />}
      </Field>
    </FormDialog>
  )
}

function Invitations() {
  const api = useApi()
  const { say, format } = useWords()
  const attempt = useAttempt()
  const invitations = useQuery(invitationsQuery(api))
  if (invitations.data === undefined || invitations.data.items.length === 0) return null
  return (
    <section className="panel">
      <h2>{say('openInvitations')}</h2>
      <ul className="lines">
        {invitations.data.items.map((invitation) => (
          <li key={invitation.id}>
            <div>
              <b>{invitation.note ?? say(invitation.role)}</b>
              <p className="fine">{say('invitationUntil', { date: format.date(invitation.expiresAt) })}</p>
            </div>
            <Button look="danger" onClick={() => void attempt(() => api.removeInvitation(invitation.id))}>
              {say('revoke')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
