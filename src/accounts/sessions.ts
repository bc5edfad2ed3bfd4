import { randomUUID } from 'node:crypto'
import { CodedError } from '../protocol/errors.ts'
import type { Session, User } from '../protocol/facts/accounts.ts'
import { type Fact, join, type Operation, update } from '../store/collection.ts'
import type { Accounts, Authenticated, NewSession } from './accounts.ts'
import type { Background } from './background.ts'
import { names, sessions, users } from './collections.ts'
import { type Context, change } from './context.ts'
import { readDeviceKey } from './device-key.ts'
import { checkName, foldName } from './names.ts'
import { isPass, openPass, sealPass } from './passes.ts'
import { addressGroup, createThrottle } from './throttle.ts'
import { createToken, hashToken, isToken } from './tokens.ts'
import { endingOfSessions, personOf, sessionsPerUser } from './users.ts'

type SessionPart = Pick<
  Accounts,
  | 'authenticate'
  | 'pass'
  | 'originOf'
  | 'signIn'
  | 'openSession'
  | 'sessions'
  | 'endSession'
  | 'endSessions'
  | 'changePassword'
>

const day = 24 * 3_600_000
const lifetime = 90 * day
/** How precise `lastSeenAt` is, so that listening does not write without end. */
export const seenEvery = 5 * 60_000

/** A player asks for a new one long before. */
const passLifetime = day

/** No user has it: what is looked up for a name that nobody has, so that the work is the same. */
const nobody = '00000000-0000-0000-0000-000000000000'

export function createSessions(context: Context, background: Background, secretsFolder: string): SessionPart {
  const { store, rows, passwords, clock } = context
  // One person's mistakes; and one address that tries many names. The second is kept short, since a household, or a
  // server behind a proxy that is not configured, is one address.
  const byAccount = createThrottle({ free: 5, longestWait: 900 }, clock)
  const byAddress = createThrottle({ free: 30, longestWait: 60 }, clock)

  /** Runs `check` unless too many have failed before; counts it as failed until it says true. */
  async function guarded(account: string, address: string, check: () => Promise<boolean>): Promise<void> {
    const group = addressGroup(address)
    byAddress.attempt(group)
    byAccount.attempt(`${group} ${account}`)
    if (!(await check())) throw new CodedError('WRONG_CREDENTIALS')
    byAddress.succeeded(group)
    byAccount.succeeded(`${group} ${account}`)
  }

  function seen(tokenHash: string, session: Session) {
    const now = clock()
    if (now - session.lastSeenAt < seenEvery) return
    background.once(`session ${tokenHash}`, now, seenEvery, async (signal) => {
      const mark = (found: Session | null) =>
        found === null ? null : { ...found, lastSeenAt: now, expiresAt: now + lifetime }
      await update(store, sessions, tokenHash, mark, signal)
    })
  }

  /** A session for the user as `fact` has them: if they are changed meanwhile, it is not made. */
  function opening(
    fact: Fact<User>,
    client: string,
    next: User,
  ): { operation: Operation; value: NewSession } {
    const token = createToken()
    const now = clock()
    const session: Session = {
      id: randomUUID(),
      user: fact.id,
      client: printable(client),
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + lifetime,
    }
    const surplus = rows
      .sessions(fact.id)
      .toSorted((one, other) => other.value.lastSeenAt - one.value.lastSeenAt)
      .slice(sessionsPerUser - 1)
      .slice(0, sessionsPerUser)
    const operation = join(
      sessions.create(hashToken(token), session),
      next === fact.value
        ? users.expect(fact.id, fact.revision)
        : users.replace(fact.id, fact.revision, next),
      ...surplus.map((row) => sessions.remove(row.id, row.revision)),
    )
    return { operation, value: { token, session, user: personOf(next) } }
  }

  let known: Buffer | undefined
  function passKey(): Buffer | undefined {
    known ??= readDeviceKey(secretsFolder)?.derive('passes')
    return known
  }

  function authenticatePass(text: string): Authenticated | null {
    const key = passKey()
    const pass = key === undefined ? null : openPass(key, text)
    if (pass === null || pass.expiresAt <= clock()) return null
    const row = rows.sessions(pass.user).find(({ value }) => value.id === pass.session)
    const found = row === undefined ? null : rows.sessionOf(row.id)
    return found === null || found.user.disabled || found.session.expiresAt <= clock() ? null : found
  }

  return {
    authenticate(token) {
      if (isPass(token)) return authenticatePass(token)
      if (!isToken(token)) return null
      const tokenHash = hashToken(token)
      const found = rows.sessionOf(tokenHash)
      if (found === null || found.user.disabled || found.session.expiresAt <= clock()) return null
      seen(tokenHash, found.session)
      return found
    },

    originOf(text) {
      const key = passKey()
      const pass = key === undefined ? null : openPass(key, text)
      return pass === null || pass.expiresAt <= clock() ? null : pass.origin
    },

    pass({ user, id, expiresAt: end }, origin) {
      const key = passKey()
      if (key === undefined) return null
      const expiresAt = Math.min(clock() + passLifetime, end)
      return { pass: sealPass(key, { user, session: id, expiresAt, origin }), expiresAt }
    },

    async signIn({ name, password, client, address }, signal) {
      const key = nameKey(name)
      let hash: string | undefined
      let id = nobody
      await guarded(key, address, async () => {
        id = (await names.get(store, key, signal))?.value.user ?? nobody
        hash = (await users.get(store, id, signal))?.value.passwordHash
        return await passwords.verify(password, hash)
      })
      const better =
        hash !== undefined && passwords.isOutdated(hash) ? await passwords.hash(password) : undefined
      const prepare = async () => {
        const fact = await users.get(store, id, signal)
        // The password was changed while this one was being compared.
        if (fact === null || fact.value.passwordHash !== hash) throw new CodedError('WRONG_CREDENTIALS')
        if (fact.value.disabled) throw new CodedError('ACCOUNT_DISABLED')
        const next = better === undefined ? fact.value : { ...fact.value, passwordHash: better }
        return opening(fact, client, next)
      }
      return await change(context, prepare, signal)
    },

    async openSession(user, client, signal) {
      const prepare = async () => {
        const fact = await users.get(store, user, signal)
        if (fact === null) throw new CodedError('NOT_FOUND')
        if (fact.value.disabled) throw new CodedError('ACCOUNT_DISABLED')
        return opening(fact, client, fact.value)
      }
      return await change(context, prepare, signal)
    },

    sessions: (user) =>
      rows
        .sessions(user)
        .map((row) => row.value)
        .filter((session) => session.expiresAt > clock())
        .toSorted((one, other) => other.lastSeenAt - one.lastSeenAt),

    async endSession(user, id, signal) {
      const row = rows.sessions(user).find((each) => each.value.id === id)
      if (row === undefined) throw new CodedError('NOT_FOUND')
      const prepare = async () => {
        const fact = await sessions.get(store, row.id, signal)
        const operation = fact === null ? join() : sessions.remove(row.id, fact.revision)
        return { operation, value: undefined }
      }
      return await change(context, prepare, signal)
    },

    async endSessions(user, keep, signal) {
      const prepare = async () => ({
        operation: await endingOfSessions(context, user, keep, signal),
        value: undefined,
      })
      return await change(context, prepare, signal)
    },

    async changePassword({ user: id, oldPassword, newPassword, session, address }, signal) {
      let old: string | undefined
      await guarded(id, address, async () => {
        old = (await users.get(store, id, signal))?.value.passwordHash
        return await passwords.verify(oldPassword, old)
      })
      const passwordHash = await passwords.hash(newPassword)
      const prepare = async () => {
        const fact = await users.get(store, id, signal)
        if (fact === null || fact.value.passwordHash !== old) throw new CodedError('WRONG_CREDENTIALS')
        const operation = join(
          users.replace(id, fact.revision, { ...fact.value, passwordHash }),
          await endingOfSessions(context, id, session, signal),
        )
        return { operation, value: undefined }
      }
      return await change(context, prepare, signal)
    },
  }
}

/** A string that is no name is looked up as well, as one that nobody can have. */
function nameKey(name: string): string {
  try {
    return foldName(checkName(name))
  } catch {
    return '-no-name-'
  }
}

/** What a program calls itself, fit for a list. */
function printable(client: string): string {
  return client
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 300)
}
