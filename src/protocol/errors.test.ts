import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from './errors.ts'

const root = join(import.meta.dirname, '..', '..')
const codes = Object.keys(errorCodes)

test('[S4] docs/errors.md explains every code once, and no others', async () => {
  const page = await readFile(join(root, 'docs', 'errors.md'), 'utf8')
  const explained = [...page.matchAll(/^## (\S+)\n+(.*)$/gm)]
  assert.deepEqual(explained.map(([, code]) => code).sort(), codes.toSorted())
  for (const [, code, text = ''] of explained) {
    assert.ok(text.length > 60 && !text.startsWith('#'), `${code} is explained in a sentence or more`)
  }
})

test('[S4] every code says what happened and what to do about it', () => {
  for (const [code, { status, title, help }] of Object.entries(errorCodes)) {
    assert.match(code, /^[A-Z][A-Z_]+$/)
    assert.ok(status >= 400 && status < 600, code)
    assert.match(title, /^[A-Z].*[^.]$/, `${code}: the title is one phrase without a full stop`)
    assert.match(help, /\.$/, `${code}: the help is a sentence`)
  }
})

test('[S4] every code is used', async () => {
  const files = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true })
  const sources = await Promise.all(
    files
      .filter(
        (file) => file.isFile() && file.name.endsWith('.ts') && !/^errors(\.test)?\.ts$/.test(file.name),
      )
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  )
  const all = sources.join('\n')
  const unused = codes.filter((code) => !all.includes(`'${code}'`))
  assert.deepEqual(unused, [], 'a code that nothing throws is a promise that nobody keeps')
})
