import assert from 'node:assert/strict'
import test from 'node:test'
import { outputBitrate, outputChannels, outputRate } from './formats.ts'

const rates: [source: number, written: number][] = [
  [8_000, 8_000],
  [44_100, 44_100],
  [48_000, 48_000],
  [88_200, 44_100],
  [96_000, 48_000],
  [176_400, 44_100],
  [192_000, 48_000],
  [37_800, 44_100],
  [5_512, 8_000],
  [50_000, 48_000],
]
for (const [source, written] of rates) {
  test(`${source} Hz is written as ${written} Hz; Opus always as 48,000`, () => {
    assert.equal(outputRate('mp3', source), written)
    assert.equal(outputRate('aac', source), written)
    assert.equal(outputRate('opus', source), 48_000)
  })
}

test('mono stays mono; more than stereo becomes stereo', () => {
  assert.deepEqual([1, 2, 6, 8].map(outputChannels), [1, 2, 2, 2])
})

test('a bitrate is brought into the limits of its format', () => {
  assert.equal(outputBitrate('opus', 512), 256)
  assert.equal(outputBitrate('mp3', 8), 32)
  assert.equal(outputBitrate('aac', 96.4), 96)
})
