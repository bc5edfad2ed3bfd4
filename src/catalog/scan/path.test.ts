import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { comparePaths, displayPath, pathBytes, pathText } from './path.ts'

test('any name of bytes has one text form that leads back to it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = pathText(bytes)
      assert.deepEqual(Buffer.from(pathBytes(text)), Buffer.from(bytes))
      assert.equal(text.isWellFormed(), true)
    }),
  )
  fc.assert(
    fc.property(anyText(), (name) => {
      assert.deepEqual(Buffer.from(pathBytes(pathText(Buffer.from(name)))), Buffer.from(name))
    }),
  )
})

test('two names never share a text form', () => {
  const names = ['\uf7e9', '\xe9', 'é', '\ufffd'].map((name) => Buffer.from(name))
  const texts = [...names, Buffer.of(0xe9)].map(pathText)
  assert.equal(new Set(texts).size, texts.length - 1)
  assert.equal(pathText(Buffer.of(0x61, 0xe9)), 'a\uf7e9')
})

test('paths are ordered by the bytes of their UTF-8', () => {
  const fields = anyText().filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(fields, fields, (one, other) => {
      const expected = Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)))
      assert.equal(Math.sign(comparePaths(one, other)), expected)
    }),
  )
})

test('what a person sees has no control characters', () => {
  assert.equal(displayPath('a\nb\uf7e9'), 'a\ufffdb\ufffd')
})
