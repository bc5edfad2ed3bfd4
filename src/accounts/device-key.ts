import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../protocol/errors.ts'
import { storeError } from '../store/sqlite-errors.ts'

/**
 * The key of this installation, under which the secrets of devices are encrypted (law S2): who copies only the
 * database cannot use them. It lies in `secrets/device-key`, 32 random bytes, readable by its owner only.
 */
export interface DeviceKey {
  encrypt(secret: string, device: string): string
  /** SECRETS_UNREADABLE where it was encrypted under another key, for another device, or changed since. */
  decrypt(encrypted: string, device: string): string
  /** 32 bytes that follow from the key, for another purpose; the key does not follow from them. */
  derive(purpose: string): Buffer
}

const fileName = 'device-key'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** The key in `folder`; null where none has been made yet. SECRETS_UNREADABLE where it cannot be used. */
export function readDeviceKey(folder: string): DeviceKey | null {
  const key = readKey(join(folder, fileName))
  return key === null ? null : deviceKeyOf(key)
}

/** Makes the key. If another has been made meanwhile, that one counts. */
export function createDeviceKey(folder: string): DeviceKey {
  keepKey(folder, randomBytes(keyBytes))
  const made = readDeviceKey(folder)
  if (made === null) throw new CodedError('SECRETS_UNREADABLE', 'the key has just been made and is missing')
  return made
}

/** The key itself in base64, made where there is none: what all nodes of a cluster have in common. */
export function shareDeviceKey(folder: string): string {
  createDeviceKey(folder)
  const key = readKey(join(folder, fileName))
  if (key === null) throw new CodedError('SECRETS_UNREADABLE', 'the key has just been made and is missing')
  return key.toString('base64')
}

/** Takes over the key of a cluster, in base64. SECRETS_UNREADABLE where there is another one. */
export function adoptDeviceKey(folder: string, shared: string): void {
  const key = Buffer.from(shared, 'base64')
  keepKey(folder, key)
  if (readKey(join(folder, fileName))?.equals(key) !== true) {
    throw new CodedError('SECRETS_UNREADABLE', 'this data folder has a key of its own')
  }
}

/** Writes the key durably, unless there is one. */
function keepKey(folder: string, key: Buffer): void {
  const temporary = join(folder, `${fileName}.${randomBytes(8).toString('hex')}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, key)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    link(temporary, join(folder, fileName))
    syncFolder(folder)
  } catch (error) {
    throw storeError(error)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Unlike a rename, a link never replaces a key that is already there. */
function link(from: string, to: string) {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

function syncFolder(path: string) {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function readKey(path: string): Buffer | null {
  let key: Buffer
  try {
    key = readFileSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new CodedError('SECRETS_UNREADABLE', 'it may not be read', { cause: error })
  }
  if (key.length !== keyBytes)
    throw new CodedError('SECRETS_UNREADABLE', `it has ${key.length} bytes, not ${keyBytes}`)
  return key
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function deviceKeyOf(key: Buffer): DeviceKey {
  return {
    encrypt(secret, device) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(device))
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64')
    },
    decrypt(encrypted, device) {
      const bytes = Buffer.from(encrypted, 'base64')
      try {
        const nonce = bytes.subarray(0, nonceBytes)
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
          .setAAD(Buffer.from(device))
          .setAuthTag(bytes.subarray(-tagBytes))
        const sealed = bytes.subarray(nonceBytes, -tagBytes)
        return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8')
      } catch (error) {
        throw new CodedError('SECRETS_UNREADABLE', 'a secret was encrypted under another key', {
          cause: error,
        })
      }
    },
    derive: (purpose) => Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, keyBytes)),
  }
}
