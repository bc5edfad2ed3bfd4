import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createZipNames, safeName } from './names.ts'

test('a name is one that every system takes', () => {
  const cases: readonly (readonly [given: string, name: string])[] = [
    ['Señorita', 'Señorita'],
    ['Sen\u0303orita', 'Señorita'],
    ['夜に駆ける', '夜に駆ける'],
    ['AC/DC', 'AC_DC'],
    ['..', '_'],
    ['../../etc/passwd', '__.._etc_passwd'],
    ['.hidden', '_hidden'],
    ['C:\\Windows\\x', 'C__Windows_x'],
    ['What? "Why" <now>|*', 'What_ _Why_ _now___'],
    ['a\u0000b\r\nc\u202egpj.exe', 'a_b__c_gpj.exe'],
    ['Wait...', 'Wait'],
    ['  spaced .  ', 'spaced'],
    ['CON', '_CON'],
    ['nul.mp3', '_nul.mp3'],
    ['Lpt9 .x', '_Lpt9 .x'],
    ['Console', 'Console'],
    ['', 'Unnamed'],
    ['. .', '_'],
    ['\ud800', '\ufffd'],
  ]
  for (const [given, name] of cases) assert.equal(safeName(given), name, JSON.stringify(given))
  assert.equal(Buffer.byteLength(safeName('é'.repeat(500))), 180)
})

test('whatever the tags say, a path has its folder and its file, and no two are the same', () => {
  const word = fc.string({ unit: fc.constantFrom(...'aAéE\u0301.\\/: \u0000\u202e0😀'), maxLength: 6 })
  const songs = fc.array(fc.tuple(word, word, word), { maxLength: 30 })
  const property = fc.property(songs, (given) => {
    const names = createZipNames()
    const paths = given.map(([album, title, suffix]) => names.file(names.folder(album, album), title, suffix))
    const compared = paths.map((path) => path.normalize('NFKC').toLowerCase())
    assert.equal(new Set(compared).size, paths.length)
    for (const path of paths) {
      const parts = path.split('/')
      assert.equal(parts.length, 2)
      for (const part of parts) {
        assert.doesNotMatch(part, /^\.|[. ]$|[\\:]|\p{Cc}|\u202e/u)
        assert.ok(part.length > 0)
      }
    }
  })
  // It prints its seed where it fails.
  fc.assert(property, { numRuns: 300 })
})

test('twins are counted, and albums of one name have folders of their own', () => {
  const names = createZipNames()
  const first = names.folder('1', 'Hits')
  const second = names.folder('2', 'HITS')
  assert.deepEqual([first, second, names.folder('1', 'Hits')], ['Hits', 'HITS (2)', 'Hits'])
  assert.equal(names.file(first, '01 - Café', 'mp3'), 'Hits/01 - Café.mp3')
  assert.equal(names.file(first, '01 - CAFE\u0301', 'mp3'), 'Hits/01 - CAFÉ (2).mp3')
  assert.equal(names.file(first, '01 - Café', 'mp3'), 'Hits/01 - Café (3).mp3')
  assert.equal(names.file(first, '01 - Café', 'flac'), 'Hits/01 - Café.flac')
})
