import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Accounts } from '../accounts/accounts.ts'
import type { Index } from '../index/index.ts'
import { isCoded } from '../protocol/errors.ts'
import type { Config } from './config.ts'

interface Parts {
  readonly config: Config
  readonly log: Logger
  readonly index: Index
  readonly accounts: Accounts
}

/** How often it is tried again to reach a node with accounts, in milliseconds. */
const accountsPauseMs = 1_000

/** Whether the index is whole, or becomes so in time. */
export async function filledWithin(index: Index, ms: number, signal: AbortSignal): Promise<boolean> {
  const end = performance.now() + ms
  while (index.progress.state === 'filling' && performance.now() < end) await pause(5, undefined, { signal })
  return index.progress.state !== 'filling'
}

/**
 * Whoever has named an administrator finds one: at once where the accounts are here and can be read (`isReady`), else as
 * soon as they can be, however long that takes.
 */
export async function ensureAdministrator(
  { config, log, index, accounts }: Parts,
  isReady: boolean,
  signal: AbortSignal,
): Promise<void> {
  const make = () => makeAdministrator(accounts, config, log, signal)
  if (isReady) return await make()
  filledWithin(index, Number.POSITIVE_INFINITY, signal)
    .then(() => onceAccountsAreThere(make, signal))
    .catch((error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, 'the administrator could not be made')
    })
}

/** Does it as soon as a node with the role `accounts` is up. */
async function onceAccountsAreThere(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isCoded(error, 'ROLE_AWAY') && !isCoded(error, 'UNREACHABLE')) throw error
      await pause(accountsPauseMs, undefined, { signal, ref: false })
    }
  }
}

/** HOCKET_ADMIN_USER and HOCKET_ADMIN_PASSWORD make the first administrator; later they change nothing. */
async function makeAdministrator(
  accounts: Accounts,
  { administrator }: Config,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (administrator === undefined || !accounts.needsSetup()) return
  try {
    await accounts.setup(administrator, signal)
    log.info({ name: administrator.name }, 'the administrator has been made')
  } catch (error) {
    if (!isCoded(error, 'SETUP_DONE')) throw error
  }
}
