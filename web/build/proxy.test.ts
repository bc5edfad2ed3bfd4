import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { proxyTo } from './proxy.ts'

const patterns = Object.keys(proxyTo('http://127.0.0.1:1')).map((pattern) => new RegExp(pattern))
const isHandedOn = (path: string) => patterns.some((pattern) => pattern.test(path))

test('while the player is written, the server answers its own paths, and Vite all modules', async () => {
  for (const path of [
    '/api/albums?limit=5',
    '/api/live',
    '/rest/ping.view?u=a',
    '/openapi.json',
    '/docs/errors',
  ])
    assert.ok(isHandedOn(path), path)
  const root = join(import.meta.dirname, '..')
  for (const file of await readdir(join(root, 'api'))) {
    for (const path of [`/api/${file}`, `/api/${file}?t=1`]) assert.ok(!isHandedOn(path), path)
  }
  for (const path of ['/', '/albums/1', '/main.tsx', '/app/shell.tsx', '/@vite/client'])
    assert.ok(!isHandedOn(path), path)
})
