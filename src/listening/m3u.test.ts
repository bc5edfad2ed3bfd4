import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Line, readM3u, writeM3u } from './m3u.ts'

test('plain and extended files, with the ends of lines of any system', () => {
  const text =
    '\ufeff#EXTM3U\r#PLAYLIST: Mix \r\n#EXTINF:61 tvg-id="x",A - B - C\n\n  dir/one.mp3 \r\n#EXTALB:x\ntwo.mp3'
  assert.deepEqual(readM3u(text), {
    name: 'Mix',
    lines: [
      { line: 5, text: 'dir/one.mp3', path: 'dir/one.mp3', durationMs: 61_000, artist: 'A', title: 'B - C' },
      { line: 7, text: 'two.mp3', path: 'two.mp3' },
    ],
  })
})

test('addresses of files are paths; a length that is none is left out', () => {
  const [first, second, third] = readM3u(
    '#EXTINF:-1,Only\nfile:///a%20b/c.mp3\nfile://host/d.mp3\nfile:///%zz',
  ).lines
  assert.deepEqual(
    [first?.path, first?.title, first?.durationMs, first?.artist],
    ['/a b/c.mp3', 'Only', undefined, undefined],
  )
  assert.deepEqual([second?.path, third?.path], ['/d.mp3', 'file:///%zz'])
})

test('what is written is read again', () => {
  const word = fc.stringMatching(/^[^\s\0#-][^\0\r\n]{0,20}[^\s\0-]$/)
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          path: word,
          title: word,
          artist: word,
          durationMs: fc.integer({ min: 1, max: 9_999 }).map((s) => s * 1_000),
        }),
        { maxLength: 5 },
      ),
      (lines: Line[]) => {
        const clear = lines
          .map((line) => ({ ...line }))
          .filter(({ artist, path }) => !artist?.includes(' - ') && !/^file:/i.test(path))
        const read = readM3u(writeM3u('Mix', clear)).lines
        assert.deepEqual(
          read.map(({ path, title, artist, durationMs }) => ({ path, title, artist, durationMs })),
          clear,
        )
      },
    ),
  )
})
