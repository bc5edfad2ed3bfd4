import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { safeFileName } from './file-name.ts'

test('a file name keeps what people see of it and loses what could harm', () => {
  const names: [string, string][] = [
    ['01 Blue in Green.flac', '01 Blue in Green.flac'],
    ['Ágætis byrjun.mp3', 'Ágætis byrjun.mp3'],
    ['C:\\Music\\song.mp3', 'song.mp3'],
    ['../../etc/passwd', 'passwd'],
    ['..', 'upload'],
    ['', 'upload'],
    ['   ', 'upload'],
    ['.hidden.mp3', 'hidden.mp3'],
    ['two\nlines\0.mp3', 'twolines.mp3'],
    ['gpj.\u202e3pm.exe', 'gpj.3pm.exe'],
    ['folder/', 'upload'],
  ]
  for (const [sent, safe] of names) assert.equal(safeFileName(sent), safe)
})

test('any name becomes one that a file system takes, and a long one keeps its suffix', () => {
  assert.match(safeFileName(`${'é'.repeat(400)}.flac`), /^é+\.flac$/)
  fc.assert(
    fc.property(anyText({ maxLength: 150 }), (sent) => {
      const safe = safeFileName(sent)
      assert.ok(Buffer.byteLength(safe) <= 200 && safe.length > 0)
      assert.ok(!/[/\\\0\n]/.test(safe) && safe !== '.' && safe !== '..')
      assert.equal(safeFileName(safe), safe)
    }),
    { numRuns: 50 },
  )
})
