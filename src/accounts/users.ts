import { randomUUID } from 'node:crypto'
import { CodedError } from '../protocol/errors.ts'
import type { User } from '../protocol/facts/accounts.ts'
import { type Fact, join, type Operation } from '../store/collection.ts'
import type { Accounts, NewUser, Person, UserChange } from './accounts.ts'
import { administrators, devices, names, sessions, users } from './collections.ts'
import { type Context, change } from './context.ts'
import { checkName, foldName } from './names.ts'

type UserPart = Pick<
  Accounts,
  'needsSetup' | 'setup' | 'users' | 'user' | 'userByName' | 'createUser' | 'changeUser' | 'removeUser'
>

export function createUsers(context: Context): UserPart {
  const { store, rows, passwords } = context
  let wasSetUp = false

  return {
    needsSetup() {
      wasSetUp ||= rows.hasUsers()
      return !wasSetUp
    },

    async setup(input, signal) {
      const user = await newUser(context, { ...input, role: 'administrator' })
      const prepare = async () => {
        // The fact is made with the first account and never empty after that, so only one of two setups makes it.
        if ((await administrators.get(store, '', signal)) !== null) throw new CodedError('SETUP_DONE')
        const operation = join(
          administrators.create('', { users: [user.id] }),
          await addition(context, user, signal),
        )
        return { operation, value: personOf(user) }
      }
      return await change(context, prepare, signal)
    },

    users: rows.users,
    user: rows.user,
    userByName: rows.userByName,

    async createUser(input, signal) {
      const user = await newUser(context, input)
      const prepare = async () => ({ operation: await entry(context, user, signal), value: personOf(user) })
      return await change(context, prepare, signal)
    },

    async changeUser(id, wanted, signal) {
      const name = wanted.name === undefined ? undefined : checkName(wanted.name)
      const passwordHash = wanted.password === undefined ? undefined : await passwords.hash(wanted.password)
      const prepare = async () => {
        const fact = await existing(context, id, signal)
        const user = changed(fact.value, { ...wanted, name }, passwordHash)
        const operations = [
          users.replace(id, fact.revision, user),
          await renaming(context, fact.value, user, signal),
          await administration(context, fact.value, user, signal),
        ]
        if (passwordHash !== undefined || user.disabled) {
          operations.push(await endingOfSessions(context, id, undefined, signal))
        }
        return { operation: join(...operations), value: personOf(user) }
      }
      return await change(context, prepare, signal)
    },

    async removeUser(id, signal) {
      const prepare = async () => {
        const { value: user, revision } = await existing(context, id, signal)
        const name = await names.get(store, foldName(user.name), signal)
        const operation = join(
          users.remove(id, revision),
          name === null ? nothing : names.remove(name.id, name.revision),
          await administration(context, user, null, signal),
          await endingOfSessions(context, id, undefined, signal),
          ...rows
            .devices(id)
            .slice(0, devicesPerUser)
            .map((row) => devices.remove(row.id, row.revision)),
        )
        return { operation, value: undefined }
      }
      return await change(context, prepare, signal)
    },
  }
}

const nothing: Operation = { conditions: [], writes: [] }

/** More sessions than this are ended by and by, by `sweep.ts`; signing in keeps them fewer. */
export const sessionsPerUser = 60
/** Together with the sessions, they fit into the one transaction that removes a user. */
export const devicesPerUser = 50

export function personOf({ passwordHash: _, ...person }: User): Person {
  return person
}

/** A user that is not written yet. */
export async function newUser({ passwords, clock }: Context, input: NewUser): Promise<User> {
  const name = checkName(input.name)
  return {
    id: randomUUID(),
    name,
    role: input.role ?? 'user',
    passwordHash: await passwords.hash(input.password),
    ...(input.quotaBytes === undefined ? {} : { quotaBytes: input.quotaBytes }),
    ...(input.language === undefined ? {} : { language: input.language }),
    disabled: false,
    createdAt: clock(),
  }
}

/** Writes a new user, their name, and their right to administer. */
export async function entry(context: Context, user: User, signal?: AbortSignal): Promise<Operation> {
  return join(await addition(context, user, signal), await administration(context, null, user, signal))
}

async function addition({ store }: Context, user: User, signal?: AbortSignal): Promise<Operation> {
  const key = foldName(user.name)
  if ((await names.get(store, key, signal)) !== null) throw new CodedError('NAME_TAKEN')
  return join(users.create(user.id, user), names.create(key, { user: user.id }))
}

async function existing({ store }: Context, id: string, signal?: AbortSignal): Promise<Fact<User>> {
  const fact = await users.get(store, id, signal)
  if (fact === null) throw new CodedError('NOT_FOUND')
  return fact
}

function changed(user: User, wanted: UserChange, passwordHash: string | undefined): User {
  const { quotaBytes, language, ...rest } = user
  const quota = wanted.quotaBytes === undefined ? quotaBytes : (wanted.quotaBytes ?? undefined)
  const tongue = wanted.language ?? language
  return {
    ...rest,
    ...(quota === undefined ? {} : { quotaBytes: quota }),
    ...(tongue === undefined ? {} : { language: tongue }),
    name: wanted.name ?? user.name,
    role: wanted.role ?? user.role,
    disabled: wanted.disabled ?? user.disabled,
    passwordHash: passwordHash ?? user.passwordHash,
  }
}

async function renaming(
  { store }: Context,
  before: User,
  after: User,
  signal?: AbortSignal,
): Promise<Operation> {
  const [from, to] = [foldName(before.name), foldName(after.name)]
  if (from === to) return nothing
  const [held, taken] = [await names.get(store, from, signal), await names.get(store, to, signal)]
  if (taken !== null) throw new CodedError('NAME_TAKEN')
  const release = held === null ? nothing : names.remove(from, held.revision)
  return join(release, names.create(to, { user: after.id }))
}

/** Keeps the fact of who administers true; LAST_ADMINISTRATOR where it would be empty. */
async function administration(
  { store }: Context,
  before: User | null,
  after: User | null,
  signal?: AbortSignal,
): Promise<Operation> {
  const id = after?.id ?? before?.id
  if (id === undefined || administers(before) === administers(after)) return nothing
  const fact = await administrators.get(store, '', signal)
  const others = (fact?.value.users ?? []).filter((other) => other !== id)
  const list = administers(after) ? [...others, id] : others
  if (list.length === 0) throw new CodedError('LAST_ADMINISTRATOR')
  return administrators.replace('', fact?.revision ?? 0, { users: list })
}

const administers = (user: User | null) => user !== null && user.role === 'administrator' && !user.disabled

/**
 * Ends the user's sessions but `keep`. They are read from the store, not from the index, which may not know the
 * newest yet: a stolen session must not survive a new password.
 */
export async function endingOfSessions(
  { store }: Context,
  user: string,
  keep: string | undefined,
  signal?: AbortSignal,
): Promise<Operation> {
  const operations: Operation[] = []
  for await (const fact of sessions.walk(store, {}, signal)) {
    const theirs = fact.value.user === user && fact.value.id !== keep
    if (theirs && operations.length < sessionsPerUser)
      operations.push(sessions.remove(fact.id, fact.revision))
  }
  return join(...operations)
}
