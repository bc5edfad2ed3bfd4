import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { page as pageOf, trackSummary } from '../../src/protocol/api/catalog.ts'
import { playlistDetail } from '../../src/protocol/api/listening.ts'
import { type Client, signIn } from '../harness/client.ts'
import { waitFor } from '../harness/wait.ts'
import { type House, openHouse } from './house.ts'
import { heard, phone, silent, soundOf, visit } from './visit.ts'

let house: House

before(async () => {
  house = await openHouse()
})
after(() => house?.[Symbol.asyncDispose]())

const keptQueue = z.object({ items: z.array(z.object({ title: z.string() }).nullable()) })
/** Someone with a queue of their own, which no other test touches. */
async function newcomer(name: string): Promise<Client> {
  const account = { name, password: `the password of ${name}` }
  await house.ada.call('POST', '/api/users', { ...account, role: 'user' })
  return await signIn(house.node.baseUrl, account)
}
/** Each test is another person: what one left in the queue is no question to the next. */
const visitor = async (name: string) => ({ baseUrl: house.node.baseUrl, token: (await newcomer(name)).token })
const bar = (page: Page) => page.getByRole('region', { name: 'Player' }).first()

/** Opens the album whose tracks are the folder's, and plays it. */
async function playAlbum(page: Page) {
  await page.goto('/albums')
  await page
    .getByRole('link', { name: /Wesnoth/ })
    .first()
    .click()
  await page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
  await heard(page)
}

test('search finds as one types, by keyboard, with a typing error', async () => {
  await using visiting = await visit(house.browser, await visitor('listener-1'))
  const { page } = visiting
  await page.goto('/')
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('batle epi', { delay: 20 })
  await page.getByRole('button', { name: 'Play Battle Epic' }).waitFor()
  await page.keyboard.press('ArrowDown')
  const reached = page.getByRole('button', { name: 'Play Battle Epic' })
  await waitFor(
    async () => {
      if (await reached.evaluate((element) => element === document.activeElement)) return true
      await page.keyboard.press('ArrowDown')
      return false
    },
    { what: 'the arrow keys to reach the song' },
  )
  await page.keyboard.press('Enter')
  await heard(page)
  await bar(page).getByRole('link', { name: 'Battle Epic' }).waitFor()
})

test('results that change under the arrow keys keep the focus among them', async () => {
  await using visiting = await visit(house.browser, await visitor('listener-2'))
  const { page } = visiting
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await page.route(/\/api\/search\?.*q=Defeat/, async (route) => {
    await released
    await route.continue()
  })
  await page.goto('/search?q=Victory')
  const before = page.getByRole('button', { name: 'Play Victory' }).first()
  await before.waitFor()
  const field = page.getByRole('searchbox').first()
  await field.fill('Defeat')
  await page.locator('.results[aria-busy=true]').waitFor()
  await field.press('ArrowDown')
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  assert.equal(await focused(), 'Play Victory', 'what is shown can be walked into before the rest has come')
  release()
  await before.waitFor({ state: 'detached' })
  await waitFor(async () => (await focused()) === 'Play Defeat', { what: 'the focus on the new results' })
  await page.keyboard.press('ArrowUp')
  await waitFor(() => field.evaluate((element) => element === document.activeElement), {
    what: 'the focus to be back in the field',
  })
})

test('seek, next, previous, pause and mute do what they say', async () => {
  await using visiting = await visit(house.browser, await visitor('listener-3'))
  const { page } = visiting
  await page.goto('/songs')
  await page.getByRole('button', { name: 'Play Battle Music' }).click()
  const before = await heard(page)
  const heardAt = performance.now()
  const title = await bar(page).locator('.player-bar-title').textContent()
  const position = bar(page).getByRole('slider', { name: 'Position' })
  await position.focus()
  for (let step = 0; step < 2; step++) await position.press('ArrowRight')
  await waitFor(
    async () => {
      const now = await soundOf(page)
      const played = (performance.now() - heardAt) / 1_000
      return now !== null && now.seconds - before.seconds > played + 8
    },
    { what: 'the sound to be ten seconds ahead' },
  )
  await heard(page)
  await bar(page).getByRole('button', { name: 'Previous' }).click()
  assert.equal(
    await bar(page).locator('.player-bar-title').textContent(),
    title,
    'it restarted the same song',
  )
  await bar(page).getByRole('button', { name: 'Pause' }).click()
  await silent(page)
  await page.keyboard.press('k')
  await heard(page)
  await bar(page).getByRole('slider', { name: 'Volume' }).press('Home')
  const quiet = await heard(page)
  assert.equal(quiet.volume, 0)
})

test('the queue is edited by keyboard, and waits, silent, where it was, after a reload', async () => {
  const grace = await newcomer('grace')
  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token: grace.token })
  const { page } = visiting
  await playAlbum(page)
  await page.keyboard.press('q')
  const queue = page.getByRole('complementary', { name: 'Queue' })
  const rows = queue.getByRole('listitem')
  const second = await rows.nth(1).locator('b').textContent()
  const third = await rows.nth(2).locator('b').textContent()
  await rows.nth(1).getByRole('button', { name: /^Move/ }).press('ArrowDown')
  await waitFor(async () => (await rows.nth(2).locator('b').textContent()) === second, {
    what: 'the moved song',
  })
  assert.equal(await rows.nth(1).locator('b').textContent(), third)
  await rows
    .nth(1)
    .getByRole('button', { name: /^Remove/ })
    .click()
  await waitFor(async () => (await rows.nth(1).locator('b').textContent()) === second, {
    what: 'the song to go',
  })
  const playing = await bar(page).locator('.player-bar-title').textContent()
  await bar(page).getByRole('button', { name: 'Pause' }).click()
  await waitFor(
    async () => {
      const { body } = await grace.get('/api/queue')
      return JSON.stringify(body).includes('"positionMs"') && !JSON.stringify(body).includes('"tracks":[]')
    },
    { what: 'the queue to be saved' },
  )
  await page.reload()
  await waitFor(async () => (await bar(page).locator('.player-bar-title').textContent()) === playing, {
    what: 'the song of before',
  })
  await silent(page)
  await bar(page).getByRole('button', { name: 'Play', exact: true }).click()
  await heard(page)
})

test('[F2] two devices do not take each other’s queue away: each is asked, and the music plays on', async () => {
  const joan = await newcomer('joan')
  const account = { baseUrl: house.node.baseUrl, token: joan.token }
  await using kitchen = await visit(house.browser, account)
  await using phoneVisit = await visit(house.browser, { ...account, look: phone })
  const [here, there] = [kitchen.page, phoneVisit.page]
  const keptBy = async (title: string) => {
    await waitFor(
      async () => {
        const { body } = await joan.get('/api/queue')
        return keptQueue.parse(body).items[0]?.title === title
      },
      { what: `a queue that begins with ${title}` },
    )
  }
  await here.goto('/search?q=elvish')
  await here.getByRole('button', { name: 'Play Elvish theme' }).click()
  await heard(here)
  await keptBy('Elvish theme')

  await there.goto('/search?q=heroes+rite')
  await there.getByRole('button', { name: 'Play Heroes Rite' }).first().click()
  await keptBy('Heroes Rite')

  await bar(here).getByRole('button', { name: 'Pause' }).click()
  await here.getByText('Your queue was changed on another device').waitFor()
  assert.equal(await bar(here).locator('.player-bar-title').textContent(), 'Elvish theme')
  await keptBy('Heroes Rite')
  await here.getByRole('button', { name: 'Keep this one' }).click()
  await keptBy('Elvish theme')
  await here.getByText('Your queue was changed on another device').waitFor({ state: 'detached' })

  await there.getByRole('button', { name: 'Pause' }).first().click()
  await there.getByRole('button', { name: 'Use that one' }).click()
  await there.getByText('Your queue was changed on another device').waitFor({ state: 'detached' })
  await there.getByRole('region', { name: 'Player' }).getByText('Elvish theme').last().waitFor()
})

test('a heart is there at once, and still there after a reload', async () => {
  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token: house.ada.token })
  const { page } = visiting
  await page.goto('/songs')
  const heart = page.locator('main').getByRole('button', { name: 'Love Battle Epic', exact: true })
  await heart.click()
  await page.locator('main').getByRole('button', { name: 'Love Battle Epic no longer' }).waitFor()
  await waitFor(
    async () =>
      JSON.stringify((await house.ada.get('/api/tracks?order=starred')).body).includes('Battle Epic'),
    {
      what: 'the server to know',
    },
  )
  await page.goto('/songs?order=starred')
  await page.locator('main').getByRole('button', { name: 'Love Battle Epic no longer' }).waitFor()
})

test('[B5] music goes on by itself when the connection comes back', async () => {
  await using visiting = await visit(house.browser, await visitor('listener-5'))
  const { page, context } = visiting
  await playAlbum(page)
  const hasFolders = () =>
    page.evaluate(() =>
      performance.getEntriesByType('resource').some(({ name }) => /folders-.*js/.test(name)),
    )
  await waitFor(hasFolders, { what: 'the screens to be fetched at rest' })
  await context.setOffline(true)
  await bar(page).getByRole('button', { name: 'Next' }).click()
  await bar(page).getByRole('button', { name: 'Next' }).click()
  await page
    .getByText(/connection broke/)
    .first()
    .waitFor()
  // A screen that was never visited is shown all the same, and says what is wrong.
  await page.getByRole('link', { name: 'Folders' }).first().click()
  await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor()
  await context.setOffline(false)
  await page.locator('main .folder').first().waitFor()
  await heard(page)
})

test('a playlist is made from a menu, reordered, and keeps its order', async () => {
  await using visiting = await visit(house.browser, await visitor('listener-6'))
  const { page } = visiting
  await page.goto('/songs')
  for (const title of ['Battle Epic', 'Battle Music', 'Defeat']) {
    await page
      .getByRole('button', { name: `More for ${title}` })
      .first()
      .click()
    await page.getByRole('menuitem', { name: 'Add to playlist' }).press('ArrowRight')
    const known = page.getByRole('menuitem', { name: 'Battle Epic' })
    const target = title === 'Battle Epic' ? page.getByRole('menuitem', { name: 'New playlist' }) : known
    await target.click()
    await page
      .getByText(/added to “Battle Epic”/)
      .last()
      .waitFor()
  }
  await page.getByRole('link', { name: 'Battle Epic', exact: true }).first().click()
  const titles = () => page.locator('.playlist-tracks .track-title').allTextContents()
  await waitFor(async () => (await titles()).length === 3, { what: 'three songs' })
  const kept = page.waitForResponse((response) => response.request().method() === 'PATCH')
  await page.getByRole('button', { name: 'Move Defeat' }).press('ArrowUp')
  await waitFor(async () => (await titles())[1] === 'Defeat', { what: 'the moved song' })
  await kept
  await page.reload()
  await waitFor(async () => (await titles()).join() === 'Battle Epic,Defeat,Battle Music', {
    what: 'the order',
  })
})

test('an album, an artist and a playlist are saved as a zip from their pages', async () => {
  const person = await newcomer('listener-zip')
  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token: person.token })
  const { page } = visiting
  const main = page.getByRole('main')

  async function save(name: RegExp, press: () => Promise<void>): Promise<void> {
    const [download] = await Promise.all([page.waitForEvent('download'), press()])
    assert.match(download.suggestedFilename(), name)
    const head = (await readFile(await download.path())).subarray(0, 4)
    assert.equal(head.toString('latin1'), 'PK\u0003\u0004')
  }
  const fromMenu = async () => {
    await main
      .locator('.hero')
      .getByRole('button', { name: /^More for / })
      .click()
    await page.getByRole('menuitem', { name: 'Download', exact: true }).click()
  }

  await page.goto('/albums')
  await main
    .getByRole('link', { name: /Wesnoth/ })
    .first()
    .click()
  await save(/Wesnoth.*\.zip$/, fromMenu)
  await main.locator('.hero').getByRole('link').first().click()
  await page.waitForURL(/\/artists\//)
  await save(/\.zip$/, () => main.getByRole('button', { name: 'Download', exact: true }).click())

  const { items } = pageOf(trackSummary).parse((await person.get('/api/tracks?limit=2')).body)
  const body = { name: 'To take along', tracks: items.map(({ id }) => id) }
  const made = playlistDetail.parse((await person.call('POST', '/api/playlists', body)).body)
  await page.goto(`/playlists/${made.id}`)
  await save(/^To take along\.zip$/, fromMenu)
})

test('on a phone: the small player opens the large one, and nothing is wider than the screen', async () => {
  await using visiting = await visit(house.browser, { ...(await visitor('listener-phone')), look: phone })
  const { page } = visiting
  await playAlbum(page)
  await page
    .getByRole('link', { name: /Open the large player/ })
    .last()
    .click()
  await page.getByRole('slider', { name: 'Position' }).last().waitFor()
  for (const path of [
    '/',
    '/albums',
    '/artists',
    '/songs',
    '/genres',
    '/search?q=battle',
    '/playlists',
    '/more',
    '/queue',
    '/uploads',
    '/settings',
    '/administration',
    '/administration/status',
  ]) {
    await page.goto(path)
    await page.locator('h1').first().waitFor()
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(excess <= 0, `${path} is ${excess} px wider than the screen`)
  }
})

test('the tab is named by the song that sounds, and in silence by the screen', async () => {
  const { token } = house.ada
  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token })
  const { page } = visiting
  const named = (title: RegExp) =>
    waitFor(async () => title.test(await page.title()), { what: `a tab named ${title.source}` })
  await page.goto('/administration')
  await named(/^Libraries · Administration · Hocket$/)
  await page.getByRole('link', { name: 'Problems' }).click()
  await named(/^Problems · Administration · Hocket$/)
  await playAlbum(page)
  await named(/^.+ – .+ · Hocket$/)
  await page.getByRole('link', { name: 'Artists' }).first().click()
  await named(/ – .+ · Hocket$/)
  await bar(page).getByRole('button', { name: 'Pause' }).click()
  await named(/^Artists · Hocket$/)
})
