import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from './en.ts'
import { es } from './es.ts'
import { createFormat } from './format.ts'
import { type Message, say } from './message.ts'

const parameters = (message: Message) => {
  const texts = typeof message === 'string' ? [message] : [message.one, message.other]
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))),
  ].sort()
}

test('Spanish says everything that English says, with the same parameters', () => {
  assert.deepEqual(Object.keys(es).sort(), Object.keys(en).sort())
  const english: Record<string, Message> = en
  for (const [key, message] of Object.entries(es)) {
    const original = english[key]
    assert.ok(original !== undefined)
    assert.deepEqual(parameters(message), parameters(original), key)
    assert.equal(typeof message, typeof original, key)
    for (const text of typeof message === 'string' ? [message] : Object.values(message))
      assert.notEqual(text.trim(), '')
  }
})

test('plurals follow the language', () => {
  assert.equal(say(en.songCount, 'en', { count: 1 }), '1 song')
  assert.equal(say(en.songCount, 'en', { count: 12_345 }), '12,345 songs')
  assert.equal(say(es.songCount, 'es', { count: 12_345 }), '12.345 canciones')
})

test('times and sizes are written as the language writes them', () => {
  const format = createFormat('en')
  assert.equal(format.clock(187_900), '3:07')
  assert.equal(format.clock(3_729_000), '1:02:09')
  assert.equal(format.duration(47 * 60_000), '47 min')
  assert.equal(format.bytes(1_234_000), '1.2 MB')
  assert.equal(format.bytes(0), '0 bytes')
  assert.equal(format.ago(0, 3 * 3_600_000), '3 hours ago')
  assert.equal(createFormat('es').ago(0, 3 * 3_600_000), 'hace 3 horas')
})
