import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Accounts, NewSession, Person, Written } from '../../accounts/accounts.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import {
  type Account,
  invitationAcceptance,
  invitationOffer,
  roaming,
  type SignedIn,
  sessionSummary,
  setupInput,
  signedIn,
  signInInput,
  welcome,
} from '../../protocol/api/accounts.ts'
import { CodedError } from '../../protocol/errors.ts'
import { id } from '../../protocol/ids.ts'
import type { Api } from '../api.ts'
import { clearSessionCookie, clientOf, setSessionCookie, signedInAs } from '../authentication.ts'
import { written } from '../freshness.ts'
import { isLocal } from '../local.ts'
import { done, made, ok } from '../openapi/operation.ts'
import type { OtherGateways } from '../roaming.ts'
import { isSetupCode } from '../setup-code.ts'
import { signalOf } from '../signal.ts'

interface Parts {
  readonly accounts: Accounts
  readonly catalog: Pick<Catalog, 'uploadedBytes'>
  readonly version: string
  readonly setupCode: string
  readonly gateways: OtherGateways
}

/** Getting in: the first start, signing in and out, invitations. */
export function sessionRoutes(app: Api, { accounts, catalog, version, setupCode, gateways }: Parts): void {
  const tag = 'Session'

  app.get(
    '/api/welcome',
    {
      schema: {
        operationId: 'welcome',
        summary: 'What a page needs before anyone is signed in',
        tag,
        response: ok(welcome, 'The state of the server, and who is signed in'),
      },
    },
    async (request, reply) => {
      const needsSetup = accounts.needsSetup()
      const person = request.signedIn?.user
      return {
        needsSetup,
        needsSetupCode: needsSetup && !isLocal(request),
        version,
        ...(person !== undefined && { account: await accountOf(person, catalog, signalOf(reply)) }),
      }
    },
  )

  app.post(
    '/api/setup',
    {
      schema: {
        operationId: 'setUp',
        summary: 'Make the first administrator',
        tag,
        body: setupInput,
        response: made(signedIn, 'The administrator, signed in'),
      },
    },
    async (request, reply) => {
      const { code, ...input } = request.body
      if (!accounts.needsSetup()) throw new CodedError('SETUP_DONE')
      if (!isLocal(request) && !isSetupCode(setupCode, code)) throw new CodedError('WRONG_SETUP_CODE')
      const { value: person } = await accounts.setup(input, signalOf(reply))
      return enter(request, reply.code(201), await openSession(request, reply, person))
    },
  )

  app.post(
    '/api/session',
    {
      schema: {
        operationId: 'signIn',
        summary: 'Sign in with name and password',
        tag,
        body: signInInput,
        response: made(signedIn, 'A session: its token is also set as a cookie'),
      },
    },
    async (request, reply) => {
      const { name, password, client = clientOf(request) } = request.body
      const session = await accounts.signIn({ name, password, client, address: request.ip }, signalOf(reply))
      return enter(request, reply.code(201), session)
    },
  )

  app.delete(
    '/api/session',
    { schema: { operationId: 'signOut', summary: 'Sign out', tag, response: done('Signed out') } },
    async (request, reply) => {
      const { user, session } = signedInAs(request)
      clearSessionCookie(request, reply)
      return written(reply.code(204), await accounts.endSession(user.id, session.id, signalOf(reply)))
    },
  )

  app.post(
    '/api/session/pass',
    {
      schema: {
        operationId: 'makePass',
        summary: 'A pass for the other gateways, and where they are',
        description:
          'A pass stands for this session where its cookie cannot go: as a Bearer token, or as `pass` in the address of audio, pictures and the WebSocket. It ends with the session, and after a day. On a machine that stands alone there is none.',
        changesNothing: true,
        tag,
        response: ok(roaming, 'The pass, and the other gateways, those that live first'),
      },
    },
    async (request) => {
      const { session } = signedInAs(request)
      const origin = request.headers.origin ?? `${request.protocol}://${request.host}`
      return { gateways: [...gateways()], ...accounts.pass(session, origin) }
    },
  )

  app.get(
    '/api/sessions',
    {
      schema: {
        operationId: 'listSessions',
        summary: 'Where this account is signed in',
        tag,
        response: ok(z.object({ items: z.array(sessionSummary) }), 'The sessions'),
      },
    },
    async (request) => {
      const { user, session } = signedInAs(request)
      const items = accounts.sessions(user.id).map((each) => ({ ...each, current: each.id === session.id }))
      return { items }
    },
  )

  app.delete(
    '/api/sessions/:id',
    {
      schema: {
        operationId: 'endSession',
        summary: 'End one of the sessions of this account',
        tag,
        params: z.object({ id }),
        response: done('Ended'),
      },
    },
    async (request, reply) => {
      const { user } = signedInAs(request)
      return written(reply.code(204), await accounts.endSession(user.id, request.params.id, signalOf(reply)))
    },
  )

  const byToken = z.object({ invitation: z.string().min(1).max(200).describe('The token of the link') })
  app.get(
    '/api/invitations/:invitation',
    {
      schema: {
        operationId: 'readInvitation',
        summary: 'What the link of an invitation offers',
        tag,
        params: byToken,
        response: ok(invitationOffer, 'The offer'),
      },
    },
    async (request) => {
      const invitation = accounts.invitation(request.params.invitation)
      if (invitation === null) throw new CodedError('INVITATION_ENDED')
      const { role, createdBy, expiresAt } = invitation
      return { role, invitedBy: accounts.user(createdBy)?.name ?? '', expiresAt }
    },
  )

  app.post(
    '/api/invitations/:invitation/accept',
    {
      schema: {
        operationId: 'acceptInvitation',
        summary: 'Make the account that an invitation offers',
        tag,
        params: byToken,
        body: invitationAcceptance,
        response: made(signedIn, 'The new account, signed in'),
      },
    },
    async (request, reply) => {
      const { value: person } = await accounts.acceptInvitation(
        request.params.invitation,
        request.body,
        signalOf(reply),
      )
      return enter(request, reply.code(201), await openSession(request, reply, person))
    },
  )

  function openSession(request: FastifyRequest, reply: FastifyReply, person: Person) {
    return accounts.openSession(person.id, clientOf(request), signalOf(reply))
  }

  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    session: Written<NewSession>,
  ): Promise<SignedIn> {
    const { user, session: opened, token } = written(reply, session)
    setSessionCookie(request, reply, token)
    return { account: await accountOf(user, catalog, signalOf(reply)), session: opened.id, token }
  }
}

/** A person as the interface shows them: with what their uploads weigh. */
export async function accountOf(
  person: Person,
  catalog: Pick<Catalog, 'uploadedBytes'>,
  signal: AbortSignal,
): Promise<Account> {
  return { ...person, usedBytes: await catalog.uploadedBytes(person.id, signal) }
}
