import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { writeMusic } from '../../tools/demo/music.ts'
import { openBrowser } from '../harness/browser.ts'
import { tracksOf } from '../harness/catalog.ts'
import { type ClusterNode, startCluster, type TestCluster } from '../harness/cluster.ts'
import { type TemporaryFolder, temporaryFolder } from '../harness/folder.ts'
import { scanned } from '../harness/scan.ts'
import { waitFor } from '../harness/wait.ts'
import { wesnoth } from './house.ts'
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

test('[N2] the machine that takes an upload dies, and the page sends it anew to another one by itself', async () => {
  const [first, second, third] = cluster.nodes
  assert.ok(first && second && third)
  await second.start()
  await cluster.settled(3)
  const { token } = await third.administrator()
  await using visiting = await visit(browser, {
    baseUrl: third.node.baseUrl,
    token,
    others: cluster.nodes.map(({ node }) => node.baseUrl),
  })
  const { page, context } = visiting
  await page.goto('/uploads')
  // By then it knows where to go on.
  await waitFor(() => lastPassTo(third) !== undefined, { what: 'the page to have a pass' })
  const line = await context.newCDPSession(page)
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 150_000 }
  await line.send('Network.emulateNetworkConditions', slow)
  await page.locator('input[type=file]').setInputFiles(join(wesnoth, 'battle-epic.ogg'))
  const progress = page.getByRole('progressbar').first()
  await waitFor(async () => Number(await progress.getAttribute('aria-valuenow')) > 5, {
    what: 'a part of it to be sent',
  })
  await third.node.kill9()
  await line.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 })
  await page.getByText('1 of 1 file uploaded').waitFor({ timeout: 60_000 })
  const ada = await first.administrator()
  await waitFor(async () => (await tracksOf(ada)).some(({ title }) => title === 'Battle Epic'), {
    what: 'the song at the other machines',
  })
})

/** Its answer to a page that asked where else to go. */
const lastPassTo = ({ node }: ClusterNode) =>
  node
    .logs()
    .split('\n')
    .findLast((line) => line.includes('"path":"/api/session/pass"'))
