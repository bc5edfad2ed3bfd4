import type { Id } from '../../protocol/ids.ts'

/** A GUID as the 16 bytes that the tables hold. */
export function guidBytes(id: Id): Uint8Array {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/** The GUID of 16 bytes. */
export function guidOf(bytes: Uint8Array): Id {
  return guidOfHex(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex'))
}

/** The GUID of 32 digits in lower case. SQLite writes them in less time than it takes to hand over bytes. */
export function guidOfHex(hex: string): Id {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
