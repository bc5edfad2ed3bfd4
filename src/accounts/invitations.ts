import { randomUUID } from 'node:crypto'
import { CodedError } from '../protocol/errors.ts'
import type { Invitation } from '../protocol/facts/accounts.ts'
import { join } from '../store/collection.ts'
import type { Accounts } from './accounts.ts'
import { invitations } from './collections.ts'
import { type Context, change } from './context.ts'
import { createToken, hashToken, isToken } from './tokens.ts'
import { entry, newUser, personOf } from './users.ts'

type InvitationPart = Pick<
  Accounts,
  'invite' | 'invitations' | 'invitation' | 'acceptInvitation' | 'revokeInvitation'
>

export function createInvitations(context: Context): InvitationPart {
  const { store, rows, clock } = context
  const isGood = (invitation: Invitation) => invitation.expiresAt > clock()

  return {
    async invite({ note, ...input }, signal) {
      const token = createToken()
      const invitation: Invitation = {
        id: randomUUID(),
        ...input,
        createdAt: clock(),
        ...(note === undefined ? {} : { note }),
      }
      const prepare = async () => ({
        operation: invitations.create(hashToken(token), invitation),
        value: { invitation, token },
      })
      return await change(context, prepare, signal)
    },

    invitations: () =>
      rows
        .invitations()
        .map((row) => row.value)
        .filter(isGood)
        .toSorted((one, other) => other.createdAt - one.createdAt),

    invitation(token) {
      const found = isToken(token) ? rows.invitation(hashToken(token)) : null
      return found !== null && isGood(found) ? found : null
    },

    async acceptInvitation(token, input, signal) {
      const ended = () => new CodedError('INVITATION_ENDED')
      if (!isToken(token)) throw ended()
      const tokenHash = hashToken(token)
      const offer = await invitations.get(store, tokenHash, signal)
      // Looked at before the password is hashed, so that strangers cannot make this server work.
      if (offer === null || !isGood(offer.value)) throw ended()
      const user = await newUser(context, { ...input, role: offer.value.role })
      const prepare = async () => {
        const fact = await invitations.get(store, tokenHash, signal)
        if (fact === null || !isGood(fact.value)) throw ended()
        const operation = join(
          invitations.remove(tokenHash, fact.revision),
          await entry(context, user, signal),
        )
        return { operation, value: personOf(user) }
      }
      return await change(context, prepare, signal)
    },

    async revokeInvitation(id, signal) {
      const row = rows.invitations().find((each) => each.value.id === id)
      if (row === undefined) throw new CodedError('NOT_FOUND')
      const prepare = async () => {
        const fact = await invitations.get(store, row.id, signal)
        return {
          operation: fact === null ? join() : invitations.remove(row.id, fact.revision),
          value: undefined,
        }
      }
      return await change(context, prepare, signal)
    },
  }
}
