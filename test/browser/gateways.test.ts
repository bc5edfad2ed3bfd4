import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { writeMusic } from '../../tools/demo/music.ts'
import { openBrowser } from '../harness/browser.ts'
import { startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { scanned } from '../harness/scan.ts'
import { waitFor } from '../harness/wait.ts'
import { heard, soundOf, visit } from './visit.ts'

/** A person listens in a real browser, and the machine that serves the page dies. */

let music: TemporaryFolder
let cluster: TestCluster
let browser: Browser
before(async () => {
  music = await temporaryFolder('music')
  await writeMusic(music.path, 60)
  cluster = await startCluster({ nodes: 3, music: (node) => (node === 0 ? [music.path] : []) })
  await cluster.settled(3)
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await cluster?.[Symbol.asyncDispose]()
  await music?.[Symbol.asyncDispose]()
})

/** Notes in the page, ten times a second, where the sound is: a pause shows as places that do not move on. */
async function watchSound(page: Page): Promise<() => Promise<number>> {
  const places: { at: number; seconds: number }[] = []
  let watching = true
  const done = (async () => {
    while (watching) {
      const sound = await soundOf(page)
      places.push({ at: performance.now(), seconds: sound?.seconds ?? -1 })
      await page.waitForTimeout(50)
    }
  })()
  return async () => {
    watching = false
    await done
    let longest = 0
    let since = places[0]
    for (const place of places) {
      if (since === undefined || place.seconds > since.seconds) since = place
      else longest = Math.max(longest, place.at - since.at)
    }
    return longest
  }
}

test('[B5] the machine that serves the page dies, and the music goes on from another one, signed in as before', async () => {
  const [first, second] = cluster.nodes
  assert.ok(first && second)
  await scanned(await first.administrator())
  const serving = second
  const { token } = await serving.administrator()
  await using visiting = await visit(browser, {
    baseUrl: serving.node.baseUrl,
    token,
    others: cluster.nodes.map(({ node }) => node.baseUrl),
  })
  const { page } = visiting
  await page.goto('/songs')
  await page.getByRole('button', { name: 'Play In Three Rooms' }).click()
  const before = await heard(page)
  assert.ok(before.source.startsWith(serving.node.baseUrl))
  const longestPause = await watchSound(page)
  await serving.node.kill9()
  const moved = await waitFor(
    async () => {
      const sound = await soundOf(page)
      return sound !== null && !sound.source.startsWith(serving.node.baseUrl) && sound
    },
    { what: 'the sound to come from another machine' },
  )
  assert.ok(moved.seconds >= before.seconds, 'it goes on where it was')
  await heard(page)
  const pause = await longestPause()
  assert.ok(pause < 1_500, `the music stood still for ${Math.round(pause)} ms`)
  await page.getByRole('link', { name: 'Albums' }).first().click()
  await page
    .getByRole('link', { name: /Hockets for Three Machines/ })
    .first()
    .waitFor()
  console.log(`the longest pause between two places of the sound: ${Math.round(pause)} ms`)
})
