import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { openBytes } from './bytes.ts'

test('texts that are added one by one are the bytes of all of them, in memory of their own', () => {
  // Lone surrogates never come here: both JSON and XML are written without them.
  const text = anyText()
  // The sizes go beyond what is made room for at first, by one text and by several.
  const long = fc.tuple(text, fc.nat(2_000)).map(([some, times]) => some.repeat(times))
  fc.assert(
    fc.property(fc.array(fc.oneof(text, long), { maxLength: 5 }), (texts) => {
      const bytes = openBytes(32)
      for (const each of texts) bytes.add(each)
      const gathered = bytes.end()
      assert.ok(Buffer.from(texts.join('')).equals(gathered))
      assert.equal(gathered.buffer.byteLength, gathered.byteLength)
    }),
    { numRuns: 20 },
  )
})
