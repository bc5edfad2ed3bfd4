import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const files = globSync(['*', '{bench,deploy,docs,src,test,tools,web}/**/*.*'], { cwd: root })
const pages = files.filter((path) => path.endsWith('.md'))
const records = readdirSync(join(root, 'docs/adr')).filter((name) => /^\d{4}-.*\.md$/.test(name))

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')

test('every link of the documentation leads to a file, and to a heading where it names one', () => {
  const broken: string[] = []
  for (const page of pages) {
    for (const [, target = ''] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      const found = existsSync(join(root, file)) && (anchor === undefined || anchorsOf(file).has(anchor))
      if (!found) broken.push(`${page}: ${target}`)
    }
  }
  assert.deepEqual(broken, [])
})

test('every file of ours that the documentation names is there', () => {
  const missing: string[] = []
  // What a record names may have gone since.
  for (const page of pages.filter((path) => !path.startsWith('docs/adr/'))) {
    for (const [, named = ''] of read(page).matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|tsx|mjs|grit))`/g)) {
      if (!files.some((path) => `/${path}`.endsWith(`/${named}`))) missing.push(`${page}: ${named}`)
    }
  }
  assert.deepEqual(missing, [])
})

test('every script of npm that the documentation calls is one of package.json', () => {
  const scripts = new Set(
    [...read('package.json').matchAll(/^ {4}"([\w:]+)": "node /gm)].map(([, name]) => name),
  )
  assert.ok(scripts.has('start'))
  const called = pages.flatMap((page) =>
    [...read(page).matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => ({ page, name })),
  )
  assert.deepEqual(
    called.filter(({ name }) => !scripts.has(name)),
    [],
  )
})

test('a message that tells a person to give a command names one that a fresh clone has', () => {
  const told = ['docs/errors.md', 'src/protocol/errors.ts', 'web/i18n/es-problems.ts', 'README.md']
  const absent = told.flatMap((path) =>
    [...read(path).matchAll(/`hocket [^`]*`/g)].map(([command]) => `${path}: ${command}`),
  )
  assert.deepEqual(absent, [], 'there is no program `hocket` in PATH: `npm run hocket -- …`')
})

test('docs/operations.md names every variable that a node reads, and no other', () => {
  const named = (path: string) =>
    new Set([...read(path).matchAll(/\bHOCKET_[A-Z_]*[A-Z]\b(?!_)/g)].map(([variable]) => variable))
  assert.deepEqual([...named('docs/operations.md')].toSorted(), [...named('src/node/config.ts')].toSorted())
})

test('docs/adr/README.md lists every record once, by its heading, and marks what is superseded', () => {
  const lines = read('docs/adr/README.md')
    .split('\n')
    .filter((line) => line.startsWith('- '))
  const wanted = records.map((name) => {
    const { number, title, status } = headOf(name)
    const newer = /superseded by (\[\d{4}\]\([^)]*\))/.exec(status)?.[1]
    return `- [${number}](${name}) ${title}${newer === undefined ? '' : ` (superseded by ${newer})`}`
  })
  assert.deepEqual(lines.toSorted(), wanted)
})

test('a record that amends another is named by it, so that nobody reads the older one alone', () => {
  const forgotten: string[] = []
  for (const name of records) {
    const { number, status } = headOf(name)
    for (const [, other = ''] of status.matchAll(/\]\((\d{4}-[^)]*\.md)\)/g)) {
      if (!headOf(other).status.includes(`[${number}](`)) forgotten.push(`${other}: [${number}](${name})`)
    }
  }
  assert.deepEqual(forgotten, [])
})

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = read(page)
    .replace(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  )
}

/** Number, title and status of a record: its first and its third line. */
function headOf(name: string): { readonly number: string; readonly title: string; readonly status: string } {
  const [heading = '', , status = ''] = read(`docs/adr/${name}`).split('\n')
  const [, number = '', title = ''] = /^# (\d{4}) (.+)$/.exec(heading) ?? []
  assert.equal(number, name.slice(0, 4), `docs/adr/${name} begins with "# ${name.slice(0, 4)} " and a title`)
  assert.match(status, /^\d{4}-\d{2}-\d{2} · (accepted|superseded)/, `docs/adr/${name}: its third line`)
  return { number, title, status }
}
