import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { z } from 'zod'
import { encodeTone } from '../fixtures/audio.ts'
import { makePicture } from '../fixtures/picture.ts'
import { openBrowser } from '../harness/browser.ts'
import { type Client, signIn } from '../harness/client.ts'
import { startNode, type TestNode } from '../harness/node.ts'
import { feedOf, item, type PodcastServer, startPodcastServer } from '../harness/podcast.ts'
import { waitFor } from '../harness/wait.ts'
import { wrongs } from './accessible.ts'
import { heard, phone, says, silent, soundOf, visit } from './visit.ts'

let node: TestNode
let browser: Browser
let ada: Client
let guest: Client
let outside: PodcastServer

before(async () => {
  ;[node, browser, outside] = await Promise.all([startNode(), openBrowser(), startPodcastServer()])
  ada = await node.administrator()
  const account = { name: 'guest', password: 'the password of guest' }
  await ada.call('POST', '/api/users', { ...account, role: 'user' })
  guest = await signIn(node.baseUrl, account)
  const dated = (at: number) =>
    `<pubDate>${new Date(1_760_000_000_000 + at * 86_400_000).toUTCString()}</pubDate>`
  const about = `<description>${'What this episode is about, at some length. '.repeat(20)}</description>`
  const items = Array.from({ length: 35 }, (_, at) =>
    item(
      `g${at}`,
      `Episode ${at}`,
      `/${at}.mp3`,
      `<itunes:duration>1:00</itunes:duration>${dated(at)}${about}`,
    ),
  )
  const image = `<itunes:image href="${outside.url}/picture.png"/><itunes:author>Ana</itunes:author>`
  outside.put('/feed.xml', { bytes: feedOf('A Show', items, image) })
  outside.put('/picture.png', { bytes: await makePicture() })
  outside.put('/34.mp3', { bytes: await encodeTone('mp3', 60) })
  outside.put('/33.mp3', { bytes: 'no audio' })
})
after(async () => {
  await browser?.close()
  await node?.[Symbol.asyncDispose]()
  await outside?.[Symbol.asyncDispose]()
})

const rowOf = (page: Page, title: string) =>
  page.locator('.episode', { has: page.getByRole('heading', { name: title, exact: true }) })

test('from the address of a feed to sound that goes on where it was left', async () => {
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting
  await page.goto('/')
  await page.getByRole('link', { name: 'Podcasts' }).click()
  await page.getByRole('heading', { name: 'No podcasts yet' }).waitFor()
  await page.getByRole('button', { name: 'Subscribe' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Address of the feed').fill('http://ada:secret@example.org/feed')
  await dialog.getByRole('button', { name: 'Subscribe' }).click()
  await dialog
    .getByRole('alert')
    .getByText(/name or password/)
    .waitFor()
  await dialog.getByLabel('Address of the feed').fill(`${outside.url}/feed.xml`)
  await dialog.getByRole('button', { name: 'Subscribe' }).click()
  await page.locator('main').getByRole('link', { name: 'A Show' }).first().click()

  await page.getByRole('heading', { name: 'A Show', level: 1 }).waitFor()
  await page.getByText('35 episodes').waitFor()
  await page.getByRole('button', { name: 'Show more' }).click()
  await rowOf(page, 'Episode 0').waitFor()
  assert.deepEqual(await wrongs(page), [])

  await page.getByRole('button', { name: 'Download Episode 33' }).click()
  await says(rowOf(page, 'Episode 33'), /Could not be downloaded: .*audio/)
  const held = outside.hold('/34.mp3')
  await page.getByRole('button', { name: 'Download Episode 34' }).click()
  await page.getByRole('button', { name: 'Stop downloading Episode 34' }).waitFor()
  held.letGo()
  await page.getByRole('button', { name: 'Play Episode 34' }).click()
  const { source } = await heard(page)
  assert.match(source, /\/api\/episodes\/[0-9a-f-]{36}\/audio/)
  const bar = page.getByRole('region', { name: 'Player' }).first()
  await bar.getByRole('link', { name: 'Episode 34' }).waitFor()
  await bar.getByRole('button', { name: 'Forward 30 seconds' }).click()
  await heard(page, 30)
  await page.getByRole('button', { name: 'Pause Episode 34' }).click()
  await silent(page)

  const place = async () =>
    z
      .object({ items: z.array(z.object({ placeMs: z.number().optional() })) })
      .parse((await ada.get('/api/episodes?limit=1')).body).items[0]?.placeMs
  await waitFor(async () => ((await place()) ?? 0) >= 30_000, { what: 'the place to be kept' })
  // Another queue has taken the place of this one, as on another device: only the place of the episode is left.
  await ada.call('PUT', '/api/queue', { tracks: [], positionMs: 0 })
  await page.goto('/podcasts')
  await page.getByRole('button', { name: 'Go on with Episode 34' }).click()
  assert.ok((await heard(page)).seconds >= 30)
  await page.getByRole('button', { name: 'Pause Episode 34' }).click()
})

test('on a phone everybody hears what was downloaded, and the queue brings it back; others keep the podcasts', async () => {
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: guest.token, look: phone })
  const { page } = visiting
  await page.goto('/more')
  await page.locator('main').getByRole('link', { name: 'Podcasts' }).click()
  await page.getByRole('heading', { name: 'Newest episodes' }).waitFor()
  await page.getByText(/ask an administrator/).waitFor()
  await says(rowOf(page, 'Episode 32'), /Not.downloaded/)
  assert.equal(await page.getByRole('button', { name: /Subscribe|Download|Look for/ }).count(), 0)
  await page.getByRole('button', { name: 'Play Episode 34' }).click()
  await heard(page)
  assert.deepEqual(await wrongs(page), [])
  await page.getByRole('link', { name: 'Open the large player' }).click()
  await page.getByRole('heading', { name: 'Episode 34' }).waitFor()
  await page.locator('.playing-phone').getByRole('button', { name: 'Forward 30 seconds' }).click()
  await heard(page, 30)
  await page.locator('.playing-phone').getByRole('button', { name: 'Pause' }).click()
  await waitFor(
    async () => {
      const { body } = await guest.get('/api/queue')
      const { positionMs, tracks } = z
        .object({ positionMs: z.number(), tracks: z.array(z.string()) })
        .parse(body)
      return tracks.length === 1 && positionMs >= 30_000
    },
    { what: 'the queue to be kept' },
  )
  await page.reload()
  await page.getByRole('heading', { name: 'Episode 34' }).waitFor()
  await page.locator('.playing-phone').getByRole('button', { name: 'Play', exact: true }).click()
  assert.ok(((await heard(page, 30)).seconds ?? 0) >= 30)
  assert.notEqual(await soundOf(page), null)
})

test('what was downloaded is removed, and the subscription ends, after a question', async () => {
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting
  await page.goto('/podcasts')
  await page.getByRole('button', { name: 'More for Episode 34' }).click()
  await page.getByRole('menuitem', { name: 'Remove the download' }).click()
  await page.getByRole('button', { name: 'Download Episode 34' }).waitFor()
  await page.locator('main').getByRole('link', { name: 'A Show' }).first().click()
  await page.getByRole('button', { name: 'Unsubscribe' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/go for everyone/).waitFor()
  await dialog.getByRole('button', { name: 'Unsubscribe' }).click()
  await page.getByRole('heading', { name: 'No podcasts yet' }).waitFor()
})
