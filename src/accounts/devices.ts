import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { CodedError } from '../protocol/errors.ts'
import type { Device } from '../protocol/facts/accounts.ts'
import { join, update } from '../store/collection.ts'
import type { Accounts, DeviceCredentials, DeviceListing } from './accounts.ts'
import type { Background } from './background.ts'
import { devices, users } from './collections.ts'
import { type Context, change } from './context.ts'
import { createInstallationKey } from './installation-key.ts'
import { seenEvery } from './sessions.ts'
import { addressGroup, createThrottle } from './throttle.ts'
import { createSecret, hashToken } from './tokens.ts'
import { devicesPerUser } from './users.ts'

type DevicePart = Pick<Accounts, 'createDevice' | 'devices' | 'removeDevice' | 'verifyDevice'>

export function createDevices(context: Context, background: Background, secretsFolder: string): DevicePart {
  const { store, rows, clock } = context
  const byDevice = createThrottle({ free: 20, longestWait: 60 }, clock)
  const key = createInstallationKey(store, secretsFolder)

  function find(credentials: DeviceCredentials): Device | null {
    if ('apiKey' in credentials) return rows.deviceBySecret(hashToken(credentials.apiKey))
    const person = rows.userByName(credentials.name)
    if (person === null) return null
    if ('password' in credentials) {
      const device = rows.deviceBySecret(hashToken(credentials.password))
      return device?.user === person.id ? device : null
    }
    const theirs = rows.devices(person.id).map((row) => row.value)
    return theirs.find((device) => isToken(device, credentials.token, credentials.salt)) ?? null
  }

  /** Subsonic's proof: md5 of the secret and a salt that the client chose. */
  function isToken(device: Device, token: string, salt: string): boolean {
    const secret = key.existing()?.decrypt(device.secret, device.id)
    if (secret === undefined) throw new CodedError('SECRETS_UNREADABLE', 'the key is missing')
    const expected = createHash('md5').update(secret).update(salt).digest()
    const found = Buffer.from(token, 'hex')
    return found.length === expected.length && timingSafeEqual(found, expected)
  }

  function used(device: Device) {
    const now = clock()
    if (now - (device.lastUsedAt ?? 0) < seenEvery) return
    background.once(`device ${device.id}`, now, seenEvery, async (signal) => {
      const mark = (found: Device | null) => (found === null ? null : { ...found, lastUsedAt: now })
      await update(store, devices, device.id, mark, signal)
    })
  }

  return {
    async createDevice(user, label, signal) {
      const secret = createSecret()
      const id = randomUUID()
      const device: Device = {
        id,
        user,
        label,
        secret: (await key.get(signal)).encrypt(secret, id),
        secretHash: hashToken(secret),
        createdAt: clock(),
      }
      const prepare = async () => {
        const owner = await users.get(store, user, signal)
        if (owner === null) throw new CodedError('NOT_FOUND')
        if (rows.devices(user).length >= devicesPerUser) {
          throw new CodedError('TOO_LARGE', `an account has at most ${devicesPerUser} devices; remove one`)
        }
        const operation = join(users.expect(user, owner.revision), devices.create(id, device))
        return { operation, value: { device: listingOf(device), secret } }
      }
      return await change(context, prepare, signal)
    },

    devices: (user) =>
      rows
        .devices(user)
        .map((row) => listingOf(row.value))
        .toSorted((one, other) => other.createdAt - one.createdAt),

    async removeDevice(user, id, signal) {
      const prepare = async () => {
        const fact = await devices.get(store, id, signal)
        if (fact === null || fact.value.user !== user) throw new CodedError('NOT_FOUND')
        return { operation: devices.remove(id, fact.revision), value: undefined }
      }
      return await change(context, prepare, signal)
    },

    verifyDevice(credentials, address) {
      const device = find(credentials)
      const user = device === null ? null : rows.user(device.user)
      if (device === null || user === null || user.disabled) {
        byDevice.attempt(`${addressGroup(address)} ${'name' in credentials ? credentials.name : ''}`)
        return null
      }
      used(device)
      return { user, device: listingOf(device) }
    },
  }
}

function listingOf({ secret: _, secretHash: __, ...listing }: Device): DeviceListing {
  return listing
}
