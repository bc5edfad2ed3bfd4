import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { list, part, shape, texts } from './shape.ts'
import { elementOf } from './xml.ts'

interface Person {
  readonly name: string
  readonly age: number | undefined
}
interface Item {
  readonly title: string
  readonly loud: boolean
  readonly comment: string | undefined
  readonly people: readonly Person[] | undefined
  readonly words: readonly string[]
  readonly best: Person | undefined
}

const person = shape<Person>({ name: ({ name }) => name, age: ({ age }) => age })
const item = shape<Item>({
  comment: ({ comment }) => comment,
  people: list(person, ({ people }) => people),
  'a "title"': ({ title }) => title,
  loud: ({ loud }) => loud,
  kind: 'a "kind"',
  words: texts(({ words }) => words),
  best: part(person, ({ best }) => best),
})
const inXml = shape<Item>({
  comment: ({ comment }) => comment,
  people: list(person, ({ people }) => people),
  title: ({ title }) => title,
  loud: ({ loud }) => loud,
  kind: 'a "kind"',
  words: texts(({ words }) => words),
  best: part(person, ({ best }) => best),
})

const anyWords = anyText({ maxLength: 20 })
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const anyPerson = fc.record({ name: anyWords, age: maybe(fc.integer()) })
const anyItem: fc.Arbitrary<Item> = fc.record({
  title: anyWords,
  loud: fc.boolean(),
  comment: maybe(anyWords),
  people: maybe(fc.array(anyPerson, { maxLength: 3 })),
  words: fc.array(anyWords, { maxLength: 3 }),
  best: maybe(anyPerson),
})

test('an item written is its content written, whatever text there is and whatever was written before', () => {
  const json = item.openJson()
  const xml = inXml.openXml('item')
  let before: Item | undefined
  fc.assert(
    fc.property(anyItem, fc.boolean(), (one, shares) => {
      // As items of one page share the lists and parts that they have in common.
      const value = shares && before !== undefined ? { ...before, title: one.title } : one
      before = value
      assert.equal(json(value), JSON.stringify(item.content(value)))
      assert.equal(xml(value), elementOf('item', inXml.content(value)))
    }),
    { numRuns: 1_000 },
  )
  const quiet = { title: '', loud: false, comment: undefined, people: undefined, words: [], best: undefined }
  assert.equal(json(quiet), '{"a \\"title\\"":"","loud":false,"kind":"a \\"kind\\"","words":[]}')
})
