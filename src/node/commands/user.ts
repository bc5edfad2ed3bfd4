import { z } from 'zod'
import { account, deviceMade } from '../../protocol/api/accounts.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Role } from '../../protocol/facts/accounts.ts'
import type { Context } from './context.ts'
import { type Remote, withNode } from './remote.ts'

const accounts = z.object({ items: z.array(account) })

export async function addUser(context: Context, name: string, role: Role): Promise<void> {
  const password = await context.terminal.secret(`Password for ${name}: `, context.signal)
  await withNode(context, (remote) =>
    remote.ask('/api/users', account, { method: 'POST', body: { name, password, role } }),
  )
  context.terminal.print(`${name} has an account${role === 'administrator' ? ' and administers' : ''}.`)
}

export async function listUsers(context: Context): Promise<void> {
  const { items } = await withNode(context, (remote) => remote.ask('/api/users', accounts))
  if (items.length === 0)
    context.terminal.note(
      'There is no account yet: make one with `npm run hocket -- user add NAME --administrator`.',
    )
  const width = Math.max(4, ...items.map(({ name }) => name.length))
  for (const { name, role, disabled } of items) {
    context.terminal.print(`${name.padEnd(width)}  ${role}${disabled ? ', disabled' : ''}`)
  }
}

/** A new password, which ends the user's sessions. */
export async function setPassword(context: Context, name: string): Promise<void> {
  const password = await context.terminal.secret(`New password for ${name}: `, context.signal)
  await change(context, name, { password })
  context.terminal.print(`${name} has a new password; the sessions with the old one have ended.`)
}

export async function setDisabled(context: Context, name: string, disabled: boolean): Promise<void> {
  await change(context, name, { disabled })
  context.terminal.print(`${name} is ${disabled ? 'disabled' : 'enabled'}.`)
}

/** A secret for a device of the user, alone on the last line: it is shown this once. */
export async function makeSecret(context: Context, name: string, label: string): Promise<void> {
  const { secret } = await withNode(context, async (remote) =>
    remote.ask(`/api/users/${await idOf(remote, name)}/devices`, deviceMade, {
      method: 'POST',
      body: { label },
    }),
  )
  context.terminal.note(`The secret of ${name} for “${label}”, shown this once:`)
  context.terminal.print(secret)
}

async function change(context: Context, name: string, body: Record<string, unknown>): Promise<void> {
  await withNode(context, async (remote) =>
    remote.ask(`/api/users/${await idOf(remote, name)}`, account, { method: 'PATCH', body }),
  )
}

async function idOf(remote: Remote, name: string): Promise<string> {
  const { items } = await remote.ask('/api/users', accounts)
  const folded = name.normalize('NFKC').toLowerCase()
  const found = items.find((item) => item.name.normalize('NFKC').toLowerCase() === folded)
  if (found === undefined) throw new CodedError('NOT_FOUND', `no account is called ${name}`)
  return found.id
}
