import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPages, type Start } from './pages.ts'

/** A list of words in the order of the alphabet, whose cursor is the last word shown. */
function openList(...words: string[]) {
  return {
    words,
    read: async (start: Start) => {
      const rest =
        'cursor' in start
          ? words.toSorted().filter((word) => word > start.cursor)
          : words.toSorted().slice(start.offset)
      const items = rest.slice(0, 2)
      return { items, count: items.length, next: rest.length > 2 ? items.at(-1) : undefined }
    },
  }
}

test('a page goes on behind the last item of the one before, for each device and list by itself', async () => {
  const { words, read } = openList('c', 'd', 'e', 'f')
  const pages = createPages()
  const page = async (device: string, offset: number, list = 'words') =>
    (await pages.read(device, list, { offset, limit: 2 }, read))?.items
  assert.deepEqual(await page('one', 0), ['c', 'd'])
  words.push('a', 'b')
  assert.deepEqual(await page('one', 2), ['e', 'f'])
  assert.equal(await page('one', 4), undefined)
  assert.deepEqual(await page('two', 2), ['c', 'd'])
  assert.deepEqual(await page('one', 2, 'others'), ['c', 'd'])
  assert.deepEqual(await page('one', 0), ['a', 'b'])
  assert.deepEqual(await page('one', 2), ['c', 'd'])
  assert.equal(await pages.read('one', 'words', { offset: 0, limit: 0 }, read), undefined)
})

test('who asks behind the end of a list is soon told what is new, and offsets count again after a while', async () => {
  const { words, read } = openList('c', 'd')
  let now = 0
  const pages = createPages(() => now)
  const page = async (offset: number) => (await pages.read('one', '', { offset, limit: 2 }, read))?.items
  await page(0)
  words.push('e')
  assert.equal(await page(2), undefined)
  now = 31_000
  assert.deepEqual(await page(2), ['e'])
  await page(0)
  words.push('a')
  now += 601_000
  assert.deepEqual(await page(2), ['d', 'e'])
})
