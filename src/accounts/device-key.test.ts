import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isCoded } from '../protocol/errors.ts'
import { adoptDeviceKey, readDeviceKey, shareDeviceKey } from './device-key.ts'

test('[S2] what one node has encrypted, another reads that has taken over its key; a third does not', async () => {
  const base = await mkdtemp(join(tmpdir(), 'hocket-key-'))
  try {
    const folder = (name: string) => join(base, name)
    const shared = shareDeviceKey(folder('one'))
    assert.equal(shareDeviceKey(folder('one')), shared, 'it is made once')
    const sealed = readDeviceKey(folder('one'))?.encrypt('a secret', 'phone') ?? ''

    adoptDeviceKey(folder('two'), shared)
    adoptDeviceKey(folder('two'), shared)
    assert.equal(readDeviceKey(folder('two'))?.decrypt(sealed, 'phone'), 'a secret')
    assert.deepEqual(readDeviceKey(folder('two'))?.derive('x'), readDeviceKey(folder('one'))?.derive('x'))
    assert.equal((await stat(join(folder('two'), 'device-key'))).mode & 0o777, 0o600)

    const other = shareDeviceKey(folder('three'))
    assert.notEqual(other, shared)
    assert.throws(
      () => adoptDeviceKey(folder('three'), shared),
      (error) => isCoded(error, 'SECRETS_UNREADABLE'),
    )
    assert.equal(shareDeviceKey(folder('three')), other, 'and is left as it was')
  } finally {
    await rm(base, { recursive: true, force: true })
  }
})
