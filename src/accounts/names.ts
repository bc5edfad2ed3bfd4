import { CodedError } from '../protocol/errors.ts'
import { userName } from '../protocol/facts/accounts.ts'

/**
 * The form in which names are compared: without differences of case and width (ＡＢＣ is abc), and with ß as ss. Upper
 * case first, since some small letters have no single capital.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

/** The name as it is kept. BAD_REQUEST where it is none, or unfolds to more than a name. */
export function checkName(name: string): string {
  const kept = name.normalize('NFC')
  if (!userName.safeParse(kept).success || !userName.safeParse(foldName(kept)).success) {
    throw new CodedError('BAD_REQUEST', 'a name has letters, digits, and . _ - @ only, 1 to 64 of them')
  }
  return kept
}
