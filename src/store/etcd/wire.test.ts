import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytes, fields, hexadecimal, message, number, text } from './wire.ts'

test('what is written is read again, integers of 64 bits included', () => {
  fc.assert(
    fc.property(
      fc.record({
        field: fc.integer({ min: 1, max: 500 }),
        integer: fc.maxSafeInteger().filter((value) => value !== 0),
        id: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        words: fc.string({ minLength: 1, unit: 'grapheme' }),
        value: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      }),
      ({ field, integer, id, words, value }) => {
        const [first, second, third, fourth, ...none] = fields(
          message([field, integer], [field + 1, id], [field + 2, words], [field + 3, value]),
        )
        assert.ok(first && second && third && fourth)
        assert.deepEqual(
          [first.number, second.number, third.number, fourth.number],
          [field, field + 1, field + 2, field + 3],
        )
        assert.equal(number(first), integer)
        assert.equal(hexadecimal(second), id.toString(16))
        assert.equal(text(third), words)
        assert.deepEqual(Buffer.from(bytes(fourth)), Buffer.from(value))
        assert.deepEqual(none, [])
      },
    ),
  )
})

test('defaults are not sent, as the encoding wants it', () => {
  assert.equal(message([1, 0], [2, ''], [3, false], [4, 0n], [5, new Uint8Array(0)]).length, 0)
})

test('bytes that are no message are refused, and end', () => {
  assert.throws(() => [...fields(Uint8Array.from([0x0a, 5, 1]))], RangeError)
  assert.throws(() => [...fields(Uint8Array.from([0x80]))], RangeError)
  assert.throws(() => [...fields(Uint8Array.from([0x0b]))], RangeError)
  assert.throws(() => [...fields(new Uint8Array(20).fill(0xff))], RangeError)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      try {
        for (const field of fields(noise)) assert.ok(field.number >= 0)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})
