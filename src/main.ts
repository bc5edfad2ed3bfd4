import { setFlagsFromString } from 'node:v8'
import { CommanderError } from 'commander'
import { runProgram } from './node/commands/program.ts'
import { createTerminal } from './node/commands/terminal.ts'
import { CodedError, errorCodes } from './protocol/errors.ts'

/** How long a node may take to stop. */
const patienceMs = 15_000
/** A second signal that follows this soon is the same one: a terminal and npm both send what the person typed once. */
const sameMs = 1_000

// Whatever we write is for our owner alone: the database holds the hashes of passwords.
process.umask(0o077)

// How small the launcher makes our own heap would hold for every thread too, whatever it is started with (ADR 0250).
setFlagsFromString('--max-semi-space-size=0')

const ending = new AbortController()
let endedAt = 0

function end(signal: NodeJS.Signals): void {
  if (ending.signal.aborted) {
    if (Date.now() - endedAt > sameMs) process.exit(exitCodes[signal])
    return
  }
  endedAt = Date.now()
  ending.abort(new DOMException(`ended by ${signal}`, 'AbortError'))
  setTimeout(() => process.exit(exitCodes[signal]), patienceMs).unref()
}

const exitCodes: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)

const terminal = createTerminal({ input: process.stdin, output: process.stdout, errors: process.stderr })
// A reader that goes away (`hocket status | head -1`) ends us quietly, as it does other programs.
process.stdout.on('error', () => process.exit(0))

try {
  process.exitCode = await runProgram(process.argv.slice(2), terminal, ending.signal)
} catch (error) {
  process.exitCode = report(error)
}

/** Tells a person what happened and what to do; answers the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (ending.signal.aborted) return 130
  if (error instanceof CodedError) {
    terminal.note(`${error.message}\n${errorCodes[error.code].help}\n(${error.code} in docs/errors.md)`)
  } else {
    terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  return 1
}
