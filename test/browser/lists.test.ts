import { test } from 'node:test'
import { makeMusicFolder } from '../fixtures/make.ts'
import { openBrowser } from '../harness/browser.ts'
import { startNode } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'
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

  /** Scrolls on until all were seen; what had not come yet when it was passed is met the next time. */
  async function seeAll(): Promise<void> {
    const seen = new Set<string>()
    const names = page.getByRole('main').getByRole('link', { name: /^Album \d{3}$/ })
    await names.first().waitFor()
    await waitFor(
      async () => {
        for (const name of await names.allTextContents()) seen.add(name)
        await page.evaluate(() => {
          const { scrollY, innerHeight } = window
          const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1
          window.scrollTo(0, isAtEnd ? 0 : scrollY + innerHeight / 2)
        })
        return seen.size === many
      },
      { what: `all ${many} albums to be seen` },
    ).catch((error: unknown) => {
      throw new Error(`${seen.size} of ${many} albums were seen`, { cause: error })
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
})
