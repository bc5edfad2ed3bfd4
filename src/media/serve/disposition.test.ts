import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { attachment } from './disposition.ts'

const names: [name: string, header: string][] = [
  ['song.mp3', 'attachment; filename="song.mp3"'],
  ['Ænima.flac', `attachment; filename="_nima.flac"; filename*=UTF-8''%C3%86nima.flac`],
  ['a"b.mp3', 'attachment; filename="a_b.mp3"; filename*=UTF-8\'\'a%22b.mp3'],
  ['../../etc/passwd', 'attachment; filename="__.._etc_passwd"'],
  ['a\r\nSet-Cookie: x=1', 'attachment; filename="a__Set-Cookie_ x=1"'],
  ["it's (live)*.mp3", 'attachment; filename="it\'s (live)_.mp3"'],
  ['gpj\u202eexe.mp3', 'attachment; filename="gpj_exe.mp3"'],
  ['100%.mp3', `attachment; filename="100_.mp3"; filename*=UTF-8''100%25.mp3`],
  ['\ud800.mp3', `attachment; filename="_.mp3"; filename*=UTF-8''%EF%BF%BD.mp3`],
  ['', 'attachment; filename="download"'],
]

for (const [name, header] of names) {
  test(`a download named ${JSON.stringify(name)} has a safe header`, () => {
    assert.equal(attachment(name), header)
  })
}

test('no name can end the header or leave its quotes', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 400 }), (name) => {
      assert.match(
        attachment(name),
        /^attachment; filename="[\x20\x21\x23-\x5b\x5d-\x7e]+"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/,
      )
    }),
  )
})
