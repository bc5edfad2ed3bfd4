import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { waitFor } from '../harness/wait.ts'
import { type House, openHouse } from './house.ts'
import { heard, phone, says, silent, visit } from './visit.ts'

let house: House

before(async () => {
  house = await openHouse()
})
after(() => house?.[Symbol.asyncDispose]())

/** Makes a link of what is open, by the menu of `name`; answers it. */
async function shareByMenu(page: Page, name: RegExp): Promise<string> {
  await page.locator('main').getByRole('button', { name }).first().click()
  await page.getByRole('menuitem', { name: 'Share a link…' }).click()
  return makeLink(page)
}

async function makeLink(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('A line for whoever gets it').fill('For the long winter')
  await dialog.getByLabel('The link works').selectOption('week')
  await dialog.getByRole('button', { name: 'Make a link' }).click()
  const link = await dialog.getByLabel('Link', { exact: true }).inputValue()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  return link
}

test('[S3] an album that is shared by its menu is heard by someone without an account, until the link is taken back', async () => {
  await using inside = await visit(house.browser, { baseUrl: house.node.baseUrl, token: house.ada.token })
  await inside.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await inside.page.goto('/albums')
  await inside.page
    .getByRole('link', { name: /Wesnoth/ })
    .first()
    .click()
  const link = await shareByMenu(inside.page, /^More for .*Wesnoth/)
  await waitFor(async () => (await inside.page.evaluate(() => navigator.clipboard.readText())) === link, {
    what: 'the link to lie on the clipboard',
  })

  await using outside = await visit(house.browser, { baseUrl: house.node.baseUrl })
  const { page } = outside
  await page.goto(new URL(link).pathname)
  await page.getByText('For the long winter').waitFor()
  await page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
  const first = await heard(page)
  assert.match(first.source, /\/api\/shares\/[0-9a-f]{32}\/tracks\//)
  const bar = page.getByRole('region', { name: 'Player' })
  const title = await bar.locator('b').textContent()
  await bar.getByRole('button', { name: 'Next' }).click()
  await waitFor(async () => (await heard(page)).source !== first.source, { what: 'the next song to sound' })
  await waitFor(async () => (await bar.locator('b').textContent()) !== title, { what: 'its title' })
  await bar.getByRole('button', { name: 'Pause' }).click()
  await silent(page)

  await inside.page.goto('/settings')
  const line = inside.page.getByRole('listitem').filter({ hasText: 'For the long winter' })
  await says(line, /Opened once/)
  await line.getByRole('button', { name: /^Take back/ }).click()
  await inside.page.getByText('The link opens nothing any more').waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'There is nothing here' }).waitFor()
})

test('an artist that is shared is heard with everything that credits them', async () => {
  await using inside = await visit(house.browser, { baseUrl: house.node.baseUrl, token: house.ada.token })
  await inside.page.goto('/artists')
  const artist = inside.page.locator('main').getByRole('link').first()
  await artist.click()
  await inside.page.locator('main').getByRole('button', { name: 'Share a link…', exact: true }).click()
  const name = (await inside.page.getByRole('heading', { level: 1 }).textContent()) ?? ''
  const link = await makeLink(inside.page)
  await using outside = await visit(house.browser, { baseUrl: house.node.baseUrl })
  await outside.page.goto(new URL(link).pathname)
  await outside.page.getByText('An artist for you').waitFor()
  await outside.page.getByRole('heading', { level: 1, name }).waitFor()
  await outside.page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
  assert.match((await heard(outside.page)).source, /\/api\/shares\/[0-9a-f]{32}\/tracks\//)
})

test('the page of a share speaks Spanish, fits a phone, and tells of a link that has ended', async () => {
  const { body } = await house.ada.get('/api/tracks?limit=2')
  const items = [...JSON.stringify(body).matchAll(/"id":"([^"]+)","title"/g)].map(([, id]) => ({
    kind: 'track',
    id,
  }))
  const made = await house.ada.call('POST', '/api/shares', { items })
  const { token } = JSON.parse(JSON.stringify(made.body))
  await using visiting = await visit(house.browser, {
    baseUrl: house.node.baseUrl,
    look: { ...phone, locale: 'es-MX' },
  })
  const { page } = visiting
  await page.goto(`/share/${token}`)
  await page.getByText('Música para ti').waitFor()
  assert.equal(await page.locator('html').getAttribute('lang'), 'es')
  await page
    .getByRole('button', { name: /^Reproducir ./ })
    .nth(1)
    .click()
  await heard(page)
  const { width, wide } = await page.evaluate(() => ({
    width: window.innerWidth,
    wide: document.documentElement.scrollWidth,
  }))
  assert.equal(wide, width, 'nothing is wider than the phone')
  await house.ada.call('PATCH', `/api/shares/${token}`, { expiresAt: 1 })
  await page.reload()
  await page.getByRole('heading', { name: 'Este enlace ha terminado' }).waitFor()
})
