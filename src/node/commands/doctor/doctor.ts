import { CodedError, errorCodes } from '../../../protocol/errors.ts'
import type { Context } from '../context.ts'
import { bad, type Finding } from './finding.ts'
import { checkDataFolder } from './folder.ts'
import { checkInstallation } from './installation.ts'
import { checkInstance } from './instance.ts'

const marks = { good: '✓', doubtful: '!', bad: '✗' } as const

/** `hocket doctor`: checks the installation and the instance, and says what to mend. Answers whether all is well. */
export async function doctor(context: Context, options: { readonly bytes: boolean }): Promise<boolean> {
  const { terminal } = context
  const counts = { good: 0, doubtful: 0, bad: 0 }
  for await (const { state, what, help } of findings(context, options)) {
    counts[state] += 1
    terminal.print(`${marks[state]} ${what}`)
    if (help !== undefined) terminal.print(`    ${help}`)
  }
  terminal.print('')
  if (counts.bad + counts.doubtful === 0) terminal.print('All is well.')
  else terminal.print(`${counts.bad} to mend, ${counts.doubtful} to look at.`)
  return counts.bad === 0
}

async function* findings(context: Context, options: { readonly bytes: boolean }): AsyncGenerator<Finding> {
  for (const check of [checkInstallation, checkDataFolder, checkInstance]) {
    try {
      yield* check(context, options)
    } catch (error) {
      // What keeps it from looking further is a finding itself: a full disk, a folder that cannot be written to.
      if (!(error instanceof CodedError)) throw error
      yield bad(error.message, errorCodes[error.code].help)
    }
  }
}
