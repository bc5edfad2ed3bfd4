import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openGround } from '../../../test/fixtures/ground.ts'
import { albumParts, libraries, partId } from '../../catalog/facts.ts'
import { albumOf, home, libraryFact } from '../../catalog/index/test-index.ts'
import type { Reader } from '../../index/index.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { join } from '../../store/collection.ts'
import { derivedId } from '../../store/derived-id.ts'
import type { Form, Listed, ListQuery } from './listing.ts'
import { pageOf } from './written.ts'

type Listing = typeof import('./listing.ts')
type Asked = Reader<Listing>

const hidden = derivedId('library hidden')
const guest = { user: derivedId('user guest'), administrator: false }
const signal = AbortSignal.timeout(60_000)

const facts = [
  libraries.create(home, libraryFact(home)),
  libraries.create(hidden, libraryFact(hidden, [])),
  ...Array.from({ length: 150 }, (_, at) => {
    const songs = [{ title: `Ähnlich ${at}` }, { title: 'Hidden', libraries: [hidden] }]
    const part = albumOf(`Album ${at}`, `Artist ${at}`, songs)
    return albumParts.create(partId(part.album, 0), part)
  }),
]

test('a long page, which two threads write, says what one thread would say', async () => {
  await using ground = await openGround([
    new URL('../../catalog/index/projection.ts', import.meta.url),
    new URL('../../listening/projection.ts', import.meta.url),
  ])
  for (let at = 0; at < facts.length; at += 50) await ground.store.commit(join(...facts.slice(at, at + 50)))
  await ground.index.waitFor((await ground.store.status()).revision)
  const url = new URL('./listing.ts', import.meta.url)
  const parts = {
    listing: ground.index.reader<Listing>(url),
    halves: ground.index.reader<Listing>(url, { halves: true }),
  }
  const start = { limit: 120, offset: 3 }
  const lists: ListQuery[] = [
    { kind: 'song', query: { order: 'addedAscending', ...start } },
    { kind: 'song', query: { order: 'addedAscending', library: hidden, ...start } },
    { kind: 'album', query: { order: 'name', ...start } },
    { kind: 'album', query: { order: 'random', seed: 5, limit: 500, offset: 100 } },
    { kind: 'artist', query: { order: 'name', role: 'any', ...start } },
  ]
  for (const form of ['json', 'xml'] as const) {
    for (const administrator of [true, false]) {
      const viewer = { ...guest, administrator }
      for (const asked of lists) {
        const page = await pageOf(parts, { viewer, form, signal }, asked, { element: asked.kind })
        const alone = await parts.listing.list(viewer, asked, { form, element: asked.kind })
        assert.deepEqual(
          [said(page, form), page.count, page.next],
          [said(alone, form), alone.count, alone.next],
          JSON.stringify({ asked, administrator }),
        )
        assert.equal(page.text.length, page.count < 100 ? Math.min(1, page.count) : 2)
      }
    }
  }
  // An index that is replaced while a page of it is read, in the midst of all that is starred, say.
  const first = {
    found: async (...asked: Parameters<Asked['rows']>) => ({
      ...(await parts.listing.rows(...asked)),
      index: 'another',
    }),
    ended: () => Promise.reject(new CodedError('UNREACHABLE', 'the thread has ended')),
  }
  for (const instead of Object.values(first)) {
    for (const asked of lists) {
      let times = 0
      const rows: Asked['rows'] = (...given) => {
        times += 1
        return times === 1 ? instead(...given) : parts.listing.rows(...given)
      }
      const listing = new Proxy(parts.listing, {
        get: (reader, name) => (name === 'rows' ? rows : Reflect.get(reader, name)),
      })
      const asking = { viewer: guest, form: 'json', signal } as const
      const page = await pageOf({ ...parts, listing }, asking, asked, { element: asked.kind })
      const alone = await parts.listing.list(guest, asked, { form: 'json', element: asked.kind })
      assert.deepEqual([said(page, 'json'), page.next, times], [said(alone, 'json'), alone.next, 2])
    }
  }
  const { rows } = await parts.listing.rows(guest, { kind: 'album', query: { order: 'name', limit: 10 } })
  await assert.rejects(
    parts.listing.ofRows(guest, 'album', { rows, index: 'another' }, { form: 'json', element: 'album' }),
    (error) => isCoded(error, 'BEHIND'),
  )
})

function said({ text }: Listed, form: Form): string {
  return text.map((piece) => Buffer.from(piece).toString()).join(form === 'xml' ? '' : ',')
}
