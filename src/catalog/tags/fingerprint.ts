import { createHash } from 'node:crypto'
import { readSync } from 'node:fs'

const sample = 8_192

/**
 * The fingerprint of a file: the first 32 hexadecimal digits of the SHA-256 over its size and three samples of 8 KiB,
 * from its start, middle and end. Tags stand at the start or the end, so a retagged copy has another one.
 */
export function fingerprintOf(descriptor: number, size: number): string {
  const hash = createHash('sha256').update(`${size}\n`)
  const buffer = new Uint8Array(Math.min(sample, size))
  const middle = Math.floor(size / 2) - sample / 2
  for (const position of size <= 3 * sample ? [0, sample, 2 * sample] : [0, middle, size - sample]) {
    hash.update(buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, position)))
  }
  return hash.digest('hex').slice(0, 32)
}
