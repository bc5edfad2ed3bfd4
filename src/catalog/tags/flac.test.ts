import assert from 'node:assert/strict'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { isFlacCut } from './flac.ts'
import { openWindow } from './window.ts'

test('a FLAC file that lost its end is known by its frames, and a whole one is never suspected', async () => {
  await using music = await makeMusicFolder()
  const whole = await music.sound('flac', { seconds: 4 })
  const path = join(music.path, 'a.flac')
  const isCut = async (bytes: Uint8Array, skip = 0) => {
    await writeFile(path, bytes)
    await using file = await open(path)
    return isFlacCut(openWindow(file.fd, { start: 0, end: bytes.length }, 1e9), skip)
  }
  assert.equal(await isCut(whole), false)
  const oldTag = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)])
  assert.equal(await isCut(Buffer.concat([whole, oldTag])), false)
  assert.equal(await isCut(Buffer.concat([Buffer.alloc(100), whole]), 100), false)
  assert.equal(await isCut(Buffer.concat([whole, Buffer.alloc(200_000)])), false, 'long rubbish says nothing')
  const unknownLength = Buffer.from(whole)
  unknownLength.fill(0, 22, 26)
  unknownLength[21] = (unknownLength[21] ?? 0) & 0xf0
  assert.equal(await isCut(unknownLength.subarray(0, 20_000)), false)
  for (const share of [0.01, 0.5, 0.95])
    assert.equal(await isCut(whole.subarray(0, Math.floor(whole.length * share))), true, `${share}`)
})
