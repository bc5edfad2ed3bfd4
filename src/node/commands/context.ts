import type { Config } from '../config.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets. */
export interface Context {
  readonly config: Config
  readonly terminal: Terminal
  /** Aborted when the person, or the service manager, wants an end. */
  readonly signal: AbortSignal
}
