import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Puts the files of tests that match the patterns together in groups, and answers what to give to `node --test`: a file
 * for each group, which runs those of the group one after another in one process, each as a suite of its own. A process
 * for each file would load and compile half the program a hundred times, which takes longer than most of the tests do.
 */
export function together(root: string, patterns: readonly string[]): readonly string[] {
  const folder = join(root, 'node_modules', '.cache', 'hocket', 'tests')
  mkdirSync(folder, { recursive: true })
  const files = globSync([...patterns], { cwd: root }).toSorted()
  // Node keeps snapshots beside the file that it was given, under the names of all suites around a test.
  const alone = files.filter((file) => existsSync(join(root, `${file}.snapshot`)))
  const others = files.filter((file) => !alone.includes(file))
  // More groups than processes, so that none is waited for long at the end.
  const groups = deal(others, 3 * availableParallelism()).map((group, at) => {
    const path = join(folder, `group-${at + 1}.test.mjs`)
    writeFileSync(path, suitesOf(root, group))
    return path
  })
  return [...groups, ...alone]
}

/** Neighbours go to different groups: files of one folder take about as long as one another. */
function deal(files: readonly string[], groups: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.min(groups, files.length) }, (_, group) =>
    files.filter((_file, at) => at % groups === group),
  )
}

function suitesOf(root: string, files: readonly string[]): string {
  const each = files.map((file) => [file, pathToFileURL(join(root, file)).href])
  return `import { suite } from 'node:test'

for (const [file, url] of ${JSON.stringify(each, null, 2)})
  suite(file, async () => {
    await import(url)
  })
`
}
