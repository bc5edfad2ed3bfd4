import { hash } from 'node:crypto'
import type { Id } from '../protocol/ids.ts'

/** The namespace of every id that Hocket derives from content (RFC 9562, version 5). Changing it changes all ids. */
const namespace = '3b0dc4cc-9e1f-5f4a-8a64-6f2d1f3a7c58'
const namespaceBytes = Buffer.from(namespace.replaceAll('-', ''), 'hex')

/** The GUID that follows from `name`: the same on every node and after every rebuild. */
export function derivedId(name: string): Id {
  const digest = Buffer.from(hash('sha1', Buffer.concat([namespaceBytes, Buffer.from(name)]), 'hex'), 'hex')
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80
  const hex = digest.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
