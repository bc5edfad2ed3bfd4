import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Puts the files of tests that match the patterns together in so many processes, and answers what to give to
 * `node --test`, all at once: a file for each process, which takes one file of tests after the other that no other
 * process has taken, and runs it as a suite of its own. A process for each file would load and compile half the program
 * a hundred times, which takes longer than most of the tests do. The folder is the processes' own, for this one run.
 */
export function together(
  root: string,
  patterns: readonly string[],
  processes: number,
  folder: string,
): readonly string[] {
  const files = globSync([...patterns], { cwd: root }).toSorted()
  mkdirSync(folder)
  return Array.from({ length: Math.min(processes, files.length) }, (_, at) => {
    const path = join(folder, `process-${at + 1}.test.mjs`)
    writeFileSync(path, taker(root, files))
    return path
  })
}

/** Who makes the empty file beside this one that is named by a number has taken the file of tests with that number. */
function taker(root: string, files: readonly string[]): string {
  const each = files.map((file) => [file, pathToFileURL(join(root, file)).href])
  return `import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite } from 'node:test'

const files = ${JSON.stringify(each, null, 2)}

function take(at) {
  try {
    closeSync(openSync(join(import.meta.dirname, String(at)), 'wx'))
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

for (const [at, [file, url]] of files.entries()) {
  if (!take(at)) continue
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
