import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinReferences, type Referenced, type References } from './whereabouts.ts'

function referencesTo(...blobs: readonly Referenced[]): References {
  const sorted = blobs.toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
  return {
    get: (hash) => blobs.find((blob) => blob.hash === hash) ?? null,
    page: (after = '', limit) => sorted.filter(({ hash }) => hash > after).slice(0, limit),
  }
}
const blob = (name: string, inPlace: readonly string[] = []) => ({ hash: name, size: 1, inPlace })

test('the blobs of two parts are gone through page by page, each once, and known as the first part knows them', () => {
  const joined = joinReferences(
    referencesTo(blob('a'), blob('c', ['node']), blob('d'), blob('f')),
    referencesTo(blob('b'), blob('c'), blob('e'), blob('g')),
  )
  for (const limit of [1, 2, 3, 100]) {
    const found: Referenced[] = []
    for (;;) {
      const page = joined.page(found.at(-1)?.hash, limit)
      found.push(...page)
      if (page.length < limit) break
    }
    assert.equal(found.map(({ hash }) => hash).join(''), 'abcdefg', `${limit} at a time`)
    assert.deepEqual(found[2]?.inPlace, ['node'])
  }
  assert.deepEqual(joined.get('c')?.inPlace, ['node'])
  assert.deepEqual([joined.get('g')?.hash, joined.get('x')], ['g', null])
})
