import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMusicFolder } from '../fixtures/make.ts'
import { openBrowser } from '../harness/browser.ts'
import { startNode } from '../harness/node.ts'
import { rescan, scanned } from '../harness/scan.ts'
import { waitFor } from '../harness/wait.ts'
import { visit } from './visit.ts'

/** More than one page holds, and than two do. */
const many = 130

test('a list goes on to its last item, whether its length is known or not', async (t) => {
  await using music = await makeMusicFolder()
  for (let at = 1; at <= many; at += 1) {
    const number = String(at).padStart(3, '0')
    const song = { title: `Song ${number}`, artist: 'Ann', album: `Album ${number}`, year: 1990 + (at % 10) }
    await music.add(`${number}.mp3`, { ...song, genre: 'Jazz' })
  }
  await using node = await startNode({ music: [music.path] })
  await using browser = await openBrowser()
  const ada = await node.administrator()
  await scanned(ada)
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting

  /**
   * Scrolls on until so many were seen, and never one of them twice at once; what had not come yet when it was passed is
   * met the next time.
   */
  async function seeAll(count = many): Promise<void> {
    const seen = new Set<string>()
    const names = page.getByRole('main').getByRole('link', { name: /^Album \d{3}$/ })
    await names.first().waitFor()
    await waitFor(
      async () => {
        const shown = await names.allTextContents()
        assert.deepEqual(shown, [...new Set(shown)], 'none is shown twice')
        for (const name of shown) seen.add(name)
        await page.evaluate(() => {
          const { scrollY, innerHeight } = window
          const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1
          window.scrollTo(0, isAtEnd ? 0 : scrollY + innerHeight / 2)
        })
        return seen.size === count
      },
      { what: `all ${count} albums to be seen` },
    ).catch((error: unknown) => {
      throw new Error(`${seen.size} of ${count} albums were seen`, { cause: error })
    })
  }

  for (const [what, search] of [
    ['by name', ''],
    ['at random', '?order=random'],
    ['of a genre in some years, by name', '?genre=Jazz&fromYear=1990&toYear=1999'],
    ['of a genre, the newest first', '?order=added&genre=Jazz'],
  ] as const) {
    await t.test(what, async () => {
      await page.goto(`/albums${search}`)
      await seeAll()
    })
  }

  await t.test('at random, with its count, when some have gone', async () => {
    const gone = Array.from({ length: many / 2 }, (_, at) => String(2 * at + 1).padStart(3, '0'))
    for (const number of gone) await rm(join(music.path, `${number}.mp3`))
    await rescan(ada)
    await page.goto('/albums?order=random')
    await page.getByText(`${many - gone.length} albums`, { exact: true }).waitFor()
    await seeAll(many - gone.length)
  })
})
