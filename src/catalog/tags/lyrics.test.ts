import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLyrics, parseTimedFrame } from './lyrics.ts'
import { decodeText } from './text.ts'

test('LRC: times of each line, several times before one line, offset, word times', () => {
  const found = parseLyrics(
    '[ti:Title]\n[offset:+500]\n[00:01.50]one\n[00:05.00][00:03]<00:03.2>twice\n\n[01:00.123]',
  )
  assert.equal(found?.synced, true)
  assert.deepEqual(found?.lines, [
    { startMs: 1_000, text: 'one' },
    { startMs: 2_500, text: 'twice', words: [{ from: 0, to: 5, startMs: 2_700 }] },
    { startMs: 4_500, text: 'twice', words: [{ from: 0, to: 5, startMs: 4_700 }] },
    { startMs: 59_623, text: '' },
  ])
})

const sung = (lines: string) =>
  parseLyrics(lines)?.lines.map(({ text, words = [] }) =>
    words.map(({ from, to, startMs, endMs }) => [text.slice(from, to), startMs, endMs]),
  )

test('enhanced LRC: words and syllables have times, with ends where the file says one of them', () => {
  assert.deepEqual(sung('[00:01.00] <00:01.00> Ha  <00:01.50> lle<00:02.00>lu<00:02.50> jah!\n[00:04]no'), [
    [
      ['Ha', 1_000, undefined],
      ['lle', 1_500, undefined],
      ['lu', 2_000, undefined],
      ['jah!', 2_500, undefined],
    ],
    [],
  ])
  assert.equal(
    parseLyrics('[00:01.00] <00:01.00> Ha  <00:01.50> lle<00:02.00>lu')?.lines[0]?.text,
    'Ha llelu',
  )
  assert.deepEqual(
    sung('[00:01]año <00:02>😀<00:02.5> <00:03>ya<00:03.5>\n[00:04]<00:04>a<00:05> <00:06>b\n[00:09]'),
    [
      [
        ['año', 1_000, 2_000],
        ['😀', 2_000, 2_500],
        ['ya', 3_000, 3_500],
      ],
      [
        ['a', 4_000, 5_000],
        ['b', 6_000, 9_000],
      ],
      [],
    ],
  )
})

test('words whose times make no sense have none, and their line stays', () => {
  for (const line of ['[00:05]<00:06>one <00:05>two', '[00:05]<00:05><00:06>', '[00:05]<99:99:99:99>one']) {
    const [found] = parseLyrics(`${line}\n[00:09]end`)?.lines ?? []
    assert.equal(found?.startMs, 5_000, line)
    assert.equal(found.words, undefined, line)
  }
  const long = parseLyrics(`[00:01]${'<00:01>x '.repeat(100_000)}`)
  assert.ok((long?.lines[0]?.text.length ?? 0) <= 2_000)
})

test('text without times is plain; text without words is nothing', () => {
  assert.deepEqual(parseLyrics('[ar:Someone]\nla la\r\n\r\nlo\u0000 lo'), {
    synced: false,
    lines: [{ text: 'la la' }, { text: '' }, { text: 'lo lo' }],
  })
  assert.equal(parseLyrics(' \n[ti:x]\n'), null)
})

test('endless lyrics end', () => {
  const words = parseLyrics(`${'[00:01]'.repeat(100)}${'<00:01>x '.repeat(150)}\n`.repeat(300))
  assert.equal(words?.lines.length, 5_000)
  assert.ok(words.lines.reduce((sum, line) => sum + (line.words?.length ?? 0), 0) <= 20_000)
  assert.equal(parseLyrics(`${'[00:01]'.repeat(140_000)}x`)?.lines.length, 5_000)
  const many = parseLyrics('[00:01.00]x\n'.repeat(20_000))
  assert.equal(many?.lines.length, 5_000)
  assert.equal(parseLyrics('y'.repeat(5_000_000))?.lines[0]?.text.length, 2_000)
})

test('SYLT in UTF-16 whose later lines have no byte order mark', () => {
  const text = (value: string) => Buffer.concat([Buffer.from(value, 'utf16le'), Buffer.of(0, 0)])
  const at = (ms: number) => Buffer.of(0, 0, ms >> 8, ms & 255)
  const mark = Buffer.of(0xff, 0xfe)
  const head = Buffer.concat([Buffer.of(1), Buffer.from('deu'), Buffer.of(2, 1), mark, text('')])
  const body = Buffer.concat([head, mark, text('äins'), at(100), text('zwei'), at(900)])
  assert.deepEqual(parseTimedFrame(body), {
    synced: true,
    language: 'deu',
    lines: [
      { startMs: 100, text: 'äins' },
      { startMs: 900, text: 'zwei' },
    ],
  })
  for (let length = 0; length < body.length; length++) parseTimedFrame(body.subarray(0, length))
})

test('a text file is read in whatever encoding it is', () => {
  const text = 'Año – ñ'
  assert.equal(decodeText(Buffer.from(text)), text)
  assert.equal(decodeText(Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])), text)
  assert.equal(decodeText(Buffer.from(text, 'utf16le')), text)
  assert.equal(decodeText(Buffer.from('A\xf1o \x96 \xf1', 'latin1')), text)
})
