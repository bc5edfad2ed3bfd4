import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'

const root = join(import.meta.dirname, '..', '..')

/** Files that break a rule of the house, and a part of the message that must explain it. */
const wrong: Readonly<Record<string, readonly [content: string, message: RegExp]>> = {
  'src/protocol/a.ts': ["export * from '../store/store.ts'\n", /The protocol imports nothing of ours/],
  'src/protocol/facts/a.ts': ["export * from '../../index/a.ts'\n", /The protocol imports nothing of ours/],
  'src/store/a.ts': ["import type { A } from '../catalog/a.ts'\nexport type B = A\n", /The store knows keys/],
  'src/blobs/a.ts': ["export * from '../index/a.ts'\n", /stand beside one another/],
  'src/index/a.ts': ["export * from '../blobs/a.ts'\n", /stand beside one another/],
  'src/index/deep/a.ts': ["export * from '../../catalog/a.ts'\n", /knows none/],
  'src/registry/a.ts': ["export * from '../accounts/a.ts'\n", /knows none/],
  'src/catalog/a.ts': ["export * from '../media/a.ts'\n", /Roles do not import one another/],
  'src/catalog/scan/a.ts': ["export * from '../../listening/a.ts'\n", /Roles do not import one another/],
  'src/media/a.ts': [
    "export const a = () => import('../gateway/a.ts')\n",
    /A role does not know its callers/,
  ],
  'src/accounts/a.ts': ["export * from '../node/config.ts'\n", /A role does not know its callers/],
  'src/listening/a.ts': ["export * from '../operator/a.ts'\n", /Roles do not import one another/],
  'src/operator/a.ts': ["export * from '../catalog/a.ts'\n", /Roles do not import one another/],
  'src/outbox/a.ts': ["export * from '../listening/a.ts'\n", /Roles do not import one another/],
  'src/podcasts/a.ts': ["export * from '../outbox/a.ts'\n", /Roles do not import one another/],
  'src/outward/a.ts': ["export * from '../podcasts/a.ts'\n", /The way outside serves every role/],
  'src/children/a.ts': ["export * from '../catalog/a.ts'\n", /The start of children serves every role/],
  'src/outbox/deep/a.ts': ["export * from '../../operator/a.ts'\n", /Roles do not import one another/],
  'src/gateway/rest/a.ts': ["export * from '../../node/config.ts'\n", /put together by src\/node/],
  'src/node/a.ts': ["export * from '../main.ts'\n", /nothing imports it/],
  'web/screens/a.ts': ["export * from '../../src/catalog/a.ts'\n", /it may import only src\/protocol/],
  'web/screens/b.ts': ["export * from 'node:fs'\n", /which has no Node modules/],
  'web/player/a.ts': ["export { useState } from 'react'\n", /knows no React/],
  'src/catalog/environment.ts': [
    "export const home = process.env['HOME']\n",
    /Only src\/node\/config\.ts reads the environment/,
  ],
  'src/catalog/arguments.ts': [
    'export const words = process.argv\n',
    /Only src\/main\.ts reads the command line/,
  ],
  'src/node/signals.ts': ["process.once('SIGTERM', () => {})\n", /Only src\/main\.ts listens to signals/],
  'src/catalog/cast.ts': ['export const b = (a: unknown) => a as string\n', /A cast tells the compiler/],
  'src/catalog/assertion.ts': ['export const b = (a: string | null) => a!\n', /non-null/i],
  'src/catalog/any.ts': ['export const b = (a: any) => a\n', /any/],
  'src/catalog/console.ts': ["console.log('hello')\n", /console/],
  'src/catalog/circle.ts': ["import { two } from './round.ts'\nexport const one = () => two\n", /cycle/],
  'src/catalog/round.ts': ["import { one } from './circle.ts'\nexport const two = () => one\n", /cycle/],
}

/** Files that keep the rules though they look alike. */
const right: Readonly<Record<string, string>> = {
  'src/catalog/good.ts': "export * from '../protocol/ids.ts'\nexport * from '../store/store.ts'\n",
  'src/protocol/facts/good.ts': "export * from '../ids.ts'\n",
  'src/gateway/good.ts': "export * from '../catalog/good.ts'\n",
  'src/store/constant.ts': "export const kinds = ['a', 'b'] as const\n",
  'web/screens/good.ts': "export * from '../../src/protocol/ids.ts'\n",
}

const report = z.object({
  diagnostics: z.array(
    z.object({
      message: z.string(),
      advices: z.unknown(),
      location: z.object({ path: z.string().nullish() }),
    }),
  ),
})

let folder = ''
let found = new Map<string, string>()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hocket-lint-'))
  for (const name of ['biome.json', '.gitignore', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(folder, name))
  }
  await cp(join(root, 'tools', 'lint'), join(folder, 'tools', 'lint'), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const files = [
    ...Object.entries(wrong).map(([path, [content]]) => [path, content] as const),
    ...Object.entries(right),
  ]
  for (const [path, content] of files) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', 'src', 'web']
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const { diagnostics } = report.parse(JSON.parse(stdout))
  found = new Map()
  for (const { location, message, advices } of diagnostics) {
    const path = location.path ?? ''
    found.set(path, `${found.get(path) ?? ''}${message} ${JSON.stringify(advices)}\n`)
  }
})

after(() => rm(folder, { recursive: true, force: true }))

for (const [path, [content, message]] of Object.entries(wrong)) {
  test(`the linter refuses ${JSON.stringify(content.split('\n')[0])} in ${path} and says why`, () => {
    assert.match(found.get(path) ?? '', message)
  })
}

test('the linter lets pass what points down', () => {
  for (const path of Object.keys(right)) assert.equal(found.get(path), undefined, path)
})
