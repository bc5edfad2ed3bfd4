import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Files of tests for which the order matters. */
export interface Order {
  /** Those that take longest, the longest first: one that began late would be the only one at the end. */
  readonly long: readonly string[]
  /** Those that wait more than they compute: two of them at once would leave a processor idle. */
  readonly waiting: readonly string[]
}

/**
 * Puts the files of tests that match the patterns together in so many processes, and answers what to give to
 * `node --test`, all at once: a file for each process, which takes one file of tests after the other that no other
 * process has taken, and runs it as a suite of its own. A process for each file would load and compile half the program
 * a hundred times, which takes longer than most of the tests do. The first process takes those that wait and then the
 * last ones, the others take from the long ones on. The folder is the processes' own, for this one run.
 */
export function together(
  root: string,
  patterns: readonly string[],
  processes: number,
  folder: string,
  { long, waiting }: Order = { long: [], waiting: [] },
): readonly string[] {
  const found = globSync([...patterns], { cwd: root }).toSorted()
  const lost = [...long, ...waiting].filter((file) => !found.includes(file))
  if (lost.length > 0) throw new Error(`No such tests: ${lost.join(', ')}. They are named in tools/steps.ts.`)
  const others = found.filter((file) => !long.includes(file) && !waiting.includes(file))
  const files = [...waiting, ...others.toReversed(), ...long.toReversed()]
  mkdirSync(folder)
  return Array.from({ length: Math.min(processes, files.length) }, (_, at) => {
    const path = join(folder, `process-${at + 1}.test.mjs`)
    writeFileSync(path, taker(root, at === 0 ? files : files.toReversed()))
    return path
  })
}

/** Who makes the empty file beside this one that is named by a file of tests has taken that file. */
function taker(root: string, files: readonly string[]): string {
  const each = files.map((file) => [file, pathToFileURL(join(root, file)).href])
  return `import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite } from 'node:test'

const files = ${JSON.stringify(each, null, 2)}

function take(file) {
  try {
    closeSync(openSync(join(import.meta.dirname, encodeURIComponent(file)), 'wx'))
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

for (const [file, url] of files) {
  if (!take(file)) continue
  const { promise: ended, resolve } = Promise.withResolvers()
  suite(file, async () => {
    after(resolve)
    try {
      await import(url)
    } catch (error) {
      resolve()
      throw error
    }
  })
  await ended
}
`
}
