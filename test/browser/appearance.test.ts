import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitFor } from '../harness/wait.ts'
import { allRules, wrongs } from './accessible.ts'
import { type House, openHouse } from './house.ts'
import { heard, phone, visit } from './visit.ts'

let house: House

before(async () => {
  house = await openHouse()
})
after(() => house?.[Symbol.asyncDispose]())

const screens = [
  '/',
  '/albums',
  '/artists',
  '/songs',
  '/genres',
  '/folders',
  '/search?q=battle',
  '/playlists',
  '/podcasts',
  '/radio',
  '/queue',
  '/uploads',
  '/settings',
  '/administration',
  '/administration/problems',
  '/administration/users',
  '/administration/status',
]

for (const [colorScheme, rules] of [
  ['light', allRules],
  ['dark', ['color-contrast']],
] as const) {
  test(`every screen is accessible as axe-core sees it (${colorScheme})`, async () => {
    await using visiting = await visit(house.browser, {
      baseUrl: house.node.baseUrl,
      token: house.ada.token,
      look: { colorScheme, reducedMotion: 'reduce' },
    })
    const { page } = visiting
    for (const path of screens) {
      await page.goto(path)
      await page.locator('main h1, .queue-screen h1').first().waitFor()
      assert.deepEqual(await wrongs(page, rules), [], path)
    }
  })
}

test('the album page and the login page are accessible, on a phone too', async () => {
  for (const look of [{}, phone]) {
    await using visiting = await visit(house.browser, {
      baseUrl: house.node.baseUrl,
      token: house.ada.token,
      look: { ...look, reducedMotion: 'reduce' },
    })
    const { page } = visiting
    await page.goto('/albums')
    await page
      .getByRole('link', { name: /Wesnoth/ })
      .first()
      .click()
    await page.locator('.track').first().waitFor()
    await page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
    await heard(page)
    assert.deepEqual(await wrongs(page), [])
    await page.goto('/queue')
    await page.locator('.queue-row').first().waitFor()
    assert.deepEqual(await wrongs(page), [])
    await page.goto('/playlists')
    await page.getByRole('button', { name: 'New smart playlist' }).click()
    await page.locator('.preview').waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'INPUT', 'typing names it')
    assert.deepEqual(await wrongs(page), [])
  }
  await using stranger = await visit(house.browser, {
    baseUrl: house.node.baseUrl,
    look: { reducedMotion: 'reduce' },
  })
  await stranger.page.goto('/')
  await stranger.page.getByLabel('Password').waitFor()
  assert.deepEqual(await wrongs(stranger.page), [])
})

test('a Spanish browser is spoken to in Spanish, and so is an account that asks for it', async () => {
  await using stranger = await visit(house.browser, {
    baseUrl: house.node.baseUrl,
    look: { locale: 'es-ES' },
  })
  await stranger.page.goto('/')
  await stranger.page.getByRole('button', { name: 'Entrar' }).waitFor()
  assert.equal(await stranger.page.locator('html').getAttribute('lang'), 'es')

  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token: house.ada.token })
  const { page } = visiting
  await page.goto('/settings')
  await page.getByRole('radio', { name: 'Español' }).click()
  await page.getByRole('heading', { name: 'Ajustes' }).waitFor()
  await page.goto('/albums')
  await page.getByRole('heading', { name: 'Álbumes' }).waitFor()
  await page.goto('/settings')
  await page.getByRole('radio', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
})

test('dark follows the system, and a choice outlives the visit', async () => {
  await using visiting = await visit(house.browser, {
    baseUrl: house.node.baseUrl,
    token: house.ada.token,
    look: { colorScheme: 'dark' },
  })
  const { page } = visiting
  const isDark = () =>
    page.evaluate(() => {
      const [red = 255] =
        getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g)?.map(Number) ?? []
      return red < 60
    })
  await page.goto('/settings')
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  assert.equal(await isDark(), true)
  await page.getByRole('radio', { name: 'Light' }).check()
  const isLight = async () => !(await isDark())
  await waitFor(isLight, { what: 'the page to be light' })
  await page.reload()
  await waitFor(isLight, { what: 'the page to be light again' })
})

test('everything can be reached and done with the keyboard alone', async () => {
  await using visiting = await visit(house.browser, { baseUrl: house.node.baseUrl, token: house.ada.token })
  const { page } = visiting
  await page.goto('/albums')
  await page
    .getByRole('link', { name: /Wesnoth/ })
    .first()
    .waitFor()
  await page.keyboard.press('Tab')
  const focused = () => page.evaluate(() => document.activeElement?.closest('a')?.textContent ?? '')
  assert.match(await focused(), /Skip to the content/)
  await page.keyboard.press('Enter')
  for (let step = 0; step < 30 && !/Wesnoth/.test(await focused()); step++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.locator('main').getByRole('button', { name: 'Play', exact: true }).waitFor()
  const outlined = await page.evaluate(() => {
    const element = document.querySelector('.hero-actions button')
    if (element instanceof HTMLElement) element.focus({ focusVisible: true })
    return element === null ? 'none' : getComputedStyle(element).outlineStyle
  })
  assert.equal(outlined, 'solid')
})
