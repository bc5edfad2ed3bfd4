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
    { startMs: 2_500, text: 'twice' },
    { startMs: 4_500, text: 'twice' },
    { startMs: 59_623, text: '' },
  ])
})

test('text without times is plain; text without words is nothing', () => {
  assert.deepEqual(parseLyrics('[ar:Someone]\nla la\r\n\r\nlo\u0000 lo'), {
    synced: false,
    lines: [{ text: 'la la' }, { text: '' }, { text: 'lo lo' }],
  })
  assert.equal(parseLyrics(' \n[ti:x]\n'), null)
})

test('endless lyrics end', () => {
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
