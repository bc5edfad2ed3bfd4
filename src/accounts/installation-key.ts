import { CodedError } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'
import { devices } from './collections.ts'
import { createDeviceKey, type DeviceKey, readDeviceKey } from './device-key.ts'

/** The key of this installation as it is needed: for the secrets of devices, and for what else is encrypted at rest. */
export interface InstallationKey {
  /** The key, or null where none has been made yet. SECRETS_UNREADABLE. */
  existing(): DeviceKey | null
  /** The key, made when it is first needed. A missing one is not made anew while devices depend on it. */
  get(signal?: AbortSignal): Promise<DeviceKey>
}

/** Errors of both: SECRETS_UNREADABLE. */
export function createInstallationKey(store: Store, secretsFolder: string): InstallationKey {
  let known: DeviceKey | null = null

  function existing(): DeviceKey | null {
    known ??= readDeviceKey(secretsFolder)
    return known
  }

  return {
    existing,
    async get(signal) {
      const found = existing()
      if (found !== null) return found
      const { entries } = await store.list(devices.prefix, { limit: 1 }, signal)
      if (entries.length > 0) throw new CodedError('SECRETS_UNREADABLE', 'the key is missing')
      known = createDeviceKey(secretsFolder)
      return known
    },
  }
}
