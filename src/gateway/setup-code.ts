import { createHash, randomInt, timingSafeEqual } from 'node:crypto'

/** Capital letters and digits that nobody mistakes for one another. */
const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/** A one-time code of 60 random bits, in groups: `7KQ4-W2MX-9RTC`. */
export function createSetupCode(): string {
  const groups = Array.from({ length: 3 }, () =>
    Array.from({ length: 4 }, () => alphabet.charAt(randomInt(alphabet.length))).join(''),
  )
  return groups.join('-')
}

/** Whether a person has typed the code, dashes, spaces and small letters aside; in constant time. */
export function isSetupCode(code: string, typed: string | undefined): boolean {
  return typed !== undefined && timingSafeEqual(digest(code), digest(typed))
}

function digest(code: string): Buffer {
  return createHash('sha256').update(code.replace(/[\s-]/g, '').toUpperCase()).digest()
}
