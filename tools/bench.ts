import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findRoot, inOrder } from './steps.ts'

/**
 * `npm run bench`: one folder of `bench/` after another, each a question with its `bench.ts`, which prints a table and
 * writes JSON beside itself. `npm run bench -- streaming search` asks only these; what follows `--` goes to them.
 */
const root = findRoot()
const [wanted, rest] = split(process.argv.slice(2))
const folders = await readdir(join(root, 'bench'), { withFileTypes: true })
const questions = folders
  .map(({ name }) => name)
  .filter((name) => existsSync(join(root, 'bench', name, 'bench.ts')))
  .sort()
const unknown = wanted.filter((name) => !questions.includes(name))

if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${questions.join(', ')}.`)
  process.exitCode = 1
} else {
  const chosen = wanted.length === 0 ? questions : wanted
  process.exitCode = await inOrder(
    root,
    chosen.map((name) => ({ title: name, args: [join('bench', name, 'bench.ts'), ...rest] })),
  )
}

function split(args: readonly string[]): [names: readonly string[], rest: readonly string[]] {
  const at = args.findIndex((argument) => argument.startsWith('-'))
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at).filter((argument) => argument !== '--')]
}
