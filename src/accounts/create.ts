import type { Index } from '../index/index.ts'
import type { Store } from '../store/store.ts'
import type { Accounts } from './accounts.ts'
import { createBackground } from './background.ts'
import type { Context } from './context.ts'
import { createDevices } from './devices.ts'
import { createInvitations } from './invitations.ts'
import { createPasswords, type Passwords } from './password.ts'
import { createRows } from './rows.ts'
import { createSessions } from './sessions.ts'
import { sweep } from './sweep.ts'
import { createUsers } from './users.ts'

export interface AccountsOptions {
  readonly store: Store
  /** Must have the projection of `accountsProjection`. */
  readonly index: Index
  /** Where the installation's key lies; made (0700) with the first device. */
  readonly secretsFolder: string
  /** Who hashes and compares; absent: this node. */
  readonly passwords?: Passwords
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

export const accountsProjection = new URL('./projection.ts', import.meta.url)

const sweepEvery = 3_600_000

/** The accounts, as this node reads and writes them. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { store, index, secretsFolder, passwords = createPasswords(), clock = Date.now } = options
  const context: Context = { store, index, clock, rows: createRows(index), passwords }
  const background = createBackground()
  const sweeping = setInterval(() => {
    background.once('sweep', clock(), 0, (signal) => sweep(context, signal))
  }, sweepEvery)
  sweeping.unref()

  return {
    ...createUsers(context),
    ...createSessions(context, background, secretsFolder),
    ...createInvitations(context),
    ...createDevices(context, background, secretsFolder),
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping)
      await background[Symbol.asyncDispose]()
    },
  }
}
