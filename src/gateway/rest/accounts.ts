import { z } from 'zod'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import {
  account,
  deviceInput,
  deviceMade,
  deviceSummary,
  invitationInput,
  invitationMade,
  invitationSummary,
  ownChange,
  userChange,
  userInput,
} from '../../protocol/api/accounts.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { signedInAs } from '../authentication.ts'
import { written } from '../freshness.ts'
import { done, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { accountOf } from './session.ts'

interface Parts {
  readonly accounts: Accounts
  readonly catalog: Pick<Catalog, 'uploadedBytes'>
}

const byId = z.object({ id })
const dayMs = 24 * 3600 * 1_000

/** The account that asks, and its devices. */
export function ownRoutes(app: Api, { accounts, catalog }: Parts): void {
  const tag = 'Me'

  app.get(
    '/api/me',
    { schema: { operationId: 'readMe', summary: 'The account that asks', tag, response: ok(account, 'It') } },
    (request, reply) => accountOf(signedInAs(request).user, catalog, signalOf(reply)),
  )

  app.patch(
    '/api/me',
    {
      schema: {
        operationId: 'changeMe',
        summary: 'Change the language or the password of this account',
        description: 'A new password ends the other sessions of the account.',
        tag,
        body: ownChange,
        response: ok(account, 'The account as it is now'),
      },
    },
    async (request, reply) => {
      const { user, session } = signedInAs(request)
      const { language, password } = request.body
      const signal = signalOf(reply)
      if (password !== undefined) {
        const { old: oldPassword, new: newPassword } = password
        const change = { user: user.id, oldPassword, newPassword, session: session.id, address: request.ip }
        written(reply, await accounts.changePassword(change, signal))
      }
      if (language === undefined) return accountOf(user, catalog, signal)
      const person = written(reply, await accounts.changeUser(user.id, { language }, signal))
      return accountOf(person, catalog, signal)
    },
  )

  app.get(
    '/api/devices',
    {
      schema: {
        operationId: 'listDevices',
        summary: 'Devices that have a secret of this account',
        tag,
        response: ok(z.object({ items: z.array(deviceSummary) }), 'The devices'),
      },
    },
    async (request) => ({ items: [...accounts.devices(signedInAs(request).user.id)] }),
  )

  app.post(
    '/api/devices',
    {
      schema: {
        operationId: 'createDevice',
        summary: 'Make a secret for a device (an API key, or the password of a Subsonic app)',
        tag,
        body: deviceInput,
        response: made(deviceMade, 'The device; its secret is shown this once'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(
        reply.code(201),
        await accounts.createDevice(user.id, request.body.label, signalOf(reply)),
      )
    },
  )

  app.delete(
    '/api/devices/:id',
    {
      schema: {
        operationId: 'deleteDevice',
        summary: 'Revoke the secret of a device',
        tag,
        params: byId,
        response: done('Revoked'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(
        reply.code(204),
        await accounts.removeDevice(user.id, request.params.id, signalOf(reply)),
      )
    },
  )
}

/** The accounts of this server, for administrators. */
export function userRoutes(app: Api, { accounts, catalog }: Parts): void {
  const tag = 'Administration'
  const config = { administrator: true }

  app.get(
    '/api/users',
    {
      config,
      schema: {
        operationId: 'listUsers',
        summary: 'All accounts',
        tag,
        response: ok(z.object({ items: z.array(account) }), 'The accounts'),
      },
    },
    async (_request, reply) => {
      const signal = signalOf(reply)
      return { items: await Promise.all(accounts.users().map((user) => accountOf(user, catalog, signal))) }
    },
  )

  app.post(
    '/api/users',
    {
      config,
      schema: {
        operationId: 'createUser',
        summary: 'Make an account',
        tag,
        body: userInput,
        response: made(account, 'The account'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const person = written(reply.code(201), await accounts.createUser(request.body, signal))
      return accountOf(person, catalog, signal)
    },
  )

  app.patch(
    '/api/users/:id',
    {
      config,
      schema: {
        operationId: 'changeUser',
        summary: 'Change an account',
        tag,
        params: byId,
        body: userChange,
        response: ok(account, 'The account as it is now'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const person = written(reply, await accounts.changeUser(request.params.id, request.body, signal))
      return accountOf(person, catalog, signal)
    },
  )

  app.post(
    '/api/users/:id/devices',
    {
      config,
      schema: {
        operationId: 'createUserDevice',
        summary: 'Make a secret for a device of another account',
        tag,
        params: byId,
        body: deviceInput,
        response: made(deviceMade, 'The device; its secret is shown this once'),
      },
    },
    async (request, reply) => {
      const { label } = request.body
      return written(reply.code(201), await accounts.createDevice(request.params.id, label, signalOf(reply)))
    },
  )

  app.delete(
    '/api/users/:id',
    {
      config,
      schema: {
        operationId: 'deleteUser',
        summary: 'Delete an account with its sessions and devices',
        tag,
        params: byId,
        response: done('Deleted'),
      },
    },
    async (request, reply) =>
      written(reply.code(204), await accounts.removeUser(request.params.id, signalOf(reply))),
  )

  app.get(
    '/api/invitations',
    {
      config,
      schema: {
        operationId: 'listInvitations',
        summary: 'Invitations that are still good',
        tag,
        response: ok(
          z.object({ items: z.array(invitationSummary) }),
          'The invitations, without their tokens',
        ),
      },
    },
    async () => ({ items: [...accounts.invitations()] }),
  )

  app.post(
    '/api/invitations',
    {
      config,
      schema: {
        operationId: 'createInvitation',
        summary: 'Invite someone by a link',
        tag,
        body: invitationInput,
        response: made(invitationMade, 'The invitation; its token is shown this once'),
      },
    },
    async (request, reply) => {
      const { role, note, days } = request.body
      const invitation = {
        role,
        createdBy: signedInAs(request).user.id,
        expiresAt: Date.now() + days * dayMs,
        ...(note !== undefined && { note }),
      }
      return written(reply.code(201), await accounts.invite(invitation, signalOf(reply)))
    },
  )

  app.delete(
    '/api/invitations/:invitation',
    {
      config,
      schema: {
        operationId: 'revokeInvitation',
        summary: 'Revoke an invitation',
        tag,
        params: z.object({ invitation: id }),
        response: done('Revoked'),
      },
    },
    async (request, reply) =>
      written(reply.code(204), await accounts.revokeInvitation(request.params.invitation, signalOf(reply))),
  )
}
