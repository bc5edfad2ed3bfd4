import { hash, randomBytes, randomInt } from 'node:crypto'

/** 256 random bits, as they stand in cookies, headers and links. */
export function createToken(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether it can be one of ours; spares the index the rest. */
export function isToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

/** What is stored of a token. It is random and long, so a plain hash cannot be reversed by guessing. */
export function hashToken(token: string): string {
  return hash('sha256', token)
}

/** Without 0, O, 1, l and the like: a person may have to type it into a television. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
const secretLength = 27

/** A device's secret: 27 letters of 31, which is 133 random bits. */
export function createSecret(): string {
  return Array.from({ length: secretLength }, () => letters[randomInt(letters.length)]).join('')
}
