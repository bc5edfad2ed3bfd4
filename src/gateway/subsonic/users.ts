import { z } from 'zod'
import type { Person } from '../../accounts/accounts.ts'
import { password as newPassword, userName } from '../../protocol/facts/accounts.ts'
import type { Content } from './content.ts'
import { type Asking, endpoint, type Parts, settled } from './endpoint.ts'
import { Failure, notFound } from './failure.ts'
import { plainOf } from './identify.ts'
import { folderNumber } from './library.ts'
import { flag, optional, required, text } from './parameters.ts'

/** What someone may do, in the API's words. There is no jukebox and no video here. */
async function userOf({ catalog }: Parts, { signal }: Asking, { id, name, role }: Person): Promise<Content> {
  const isAdministrator = role === 'administrator'
  const libraries = await catalog.libraries({ user: id, administrator: isAdministrator }, signal)
  return {
    username: name,
    scrobblingEnabled: true,
    adminRole: isAdministrator,
    settingsRole: isAdministrator,
    downloadRole: true,
    uploadRole: true,
    playlistRole: true,
    coverArtRole: true,
    commentRole: false,
    podcastRole: isAdministrator,
    streamRole: true,
    jukeboxRole: false,
    shareRole: true,
    videoConversionRole: false,
    folder: libraries.map((library) => folderNumber(library.id)),
  }
}

function requireAdministrator({ viewer }: Asking): void {
  if (!viewer.administrator) throw new Failure(50, 'Only administrators may do that')
}

function requireUser({ accounts }: Parts, name: string): Person {
  const person = accounts.userByName(name)
  if (person === null) throw notFound('user')
  return person
}

const byName = z.object({ username: required(text) })

/** Oneself, or for administrators anyone. Whether someone else exists is told to nobody else. */
export const getUser = endpoint(byName, async (parts, asking, { username }) => {
  const person = parts.accounts.userByName(username)
  if (person?.id !== asking.user.id) requireAdministrator(asking)
  return { user: await userOf(parts, asking, person ?? requireUser(parts, username)) }
})

export const getUsers = endpoint(z.object({}), async (parts, asking) => {
  requireAdministrator(asking)
  const user: Content[] = []
  for (const person of parts.accounts.users()) user.push(await userOf(parts, asking, person))
  return { users: { user } }
})

/** A new password as it is meant, or failure 10. */
function passwordOf(given: string): string {
  const parsed = newPassword.safeParse(plainOf(given))
  if (!parsed.success) throw new Failure(10, "The parameter 'password' is not valid: at least 8 characters")
  return parsed.data
}

/** The password is the one for signing in; Subsonic clients of the new user need a device's secret. */
export const createUser = endpoint(
  z.object({ username: required(text), password: required(text), adminRole: flag(false) }),
  async (parts, asking, { username, password, adminRole }) => {
    requireAdministrator(asking)
    const name = userName.safeParse(username)
    if (!name.success)
      throw new Failure(10, `The parameter 'username' is not valid: ${name.error.issues[0]?.message}`)
    const role = adminRole ? 'administrator' : 'user'
    const input = { name: name.data, password: passwordOf(password), role } as const
    await settled(parts, await parts.accounts.createUser(input, asking.signal), asking.signal)
    return {}
  },
)

/** Of all that the API can say of users, only the password and who administers mean something here. */
export const updateUser = endpoint(
  z.object({ username: required(text), password: optional(text), adminRole: flag(false) }),
  async (parts, asking, { username, password, adminRole }) => {
    requireAdministrator(asking)
    const { id } = requireUser(parts, username)
    const change = {
      ...(password !== undefined && { password: passwordOf(password) }),
      ...(asking.raw.has('adminRole') && {
        role: adminRole ? ('administrator' as const) : ('user' as const),
      }),
    }
    await settled(parts, await parts.accounts.changeUser(id, change, asking.signal), asking.signal)
    return {}
  },
)

export const deleteUser = endpoint(byName, async (parts, asking, { username }) => {
  requireAdministrator(asking)
  const { id } = requireUser(parts, username)
  await settled(parts, await parts.accounts.removeUser(id, asking.signal), asking.signal)
  return {}
})

/**
 * For administrators. A device's secret must not be enough to take over the account that it belongs to (law S2), and
 * the API sends no old password along: everyone else changes theirs in the web player (`settingsRole` says so).
 */
export const changePassword = endpoint(
  z.object({ username: required(text), password: required(text) }),
  async (parts, asking, { username, password }) => {
    requireAdministrator(asking)
    const { id } = requireUser(parts, username)
    const change = { password: passwordOf(password) }
    await settled(parts, await parts.accounts.changeUser(id, change, asking.signal), asking.signal)
    return {}
  },
)
