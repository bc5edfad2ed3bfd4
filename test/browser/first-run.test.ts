import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../harness/browser.ts'
import { startNode } from '../harness/node.ts'
import { heard, visit } from './visit.ts'

const wesnoth = '/usr/share/games/wesnoth/1.16/data/core/music'

test('from nothing to sound: the administrator, a folder of music, an album, and its audio advances', async () => {
  await using node = await startNode({
    env: { HOCKET_ADMIN_USER: undefined, HOCKET_ADMIN_PASSWORD: undefined },
  })
  await using browser = await openBrowser()
  await using visitor = await visit(browser, node)
  const { page } = visitor

  await page.goto('/')
  await page.getByRole('heading', { name: 'Let’s begin' }).waitFor()
  await page.getByLabel('User name').fill('ada')
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Create account' }).click()
  assert.equal(
    await page.getByLabel('Password').evaluate((field: HTMLInputElement) => field.validity.tooShort),
    true,
    'a password that is too short is refused beside the field',
  )
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Create account' }).click()

  await page.getByRole('heading', { name: 'Where is your music?' }).waitFor()
  await page.getByRole('link', { name: /Add a music folder/ }).click()
  await page.getByRole('button', { name: 'Add a music folder' }).click()
  await page.getByLabel('Folder on the server').fill('/usr/share/games/wesnoth/1.16/data/core')
  await page.getByLabel('Folder on the server').blur()
  // What was chosen counts at once, however long a disk takes to say what is in it.
  const { promise: added, resolve: release } = Promise.withResolvers<void>()
  await page.route(/\/api\/server-folders\?path=.*%2Fmusic$/, async (route) => {
    await added
    await route.continue()
  })
  await page.getByRole('button', { name: 'music', exact: true }).click()
  await page.getByRole('button', { name: 'Add this folder' }).click()
  await page.getByText(wesnoth).waitFor()
  release()
  await page.getByText(/The last scan ended/).waitFor({ timeout: 60_000 })
  await page.getByText('41 songs').waitFor()

  await page.getByRole('link', { name: 'Albums' }).click()
  await page
    .getByRole('link', { name: /Wesnoth/ })
    .first()
    .click()
  await page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
  const sound = await heard(page)
  assert.match(sound.source, /\/api\/tracks\/[0-9a-f-]{36}\/audio/)
  await page.getByRole('button', { name: 'Pause', exact: true }).last().waitFor()
})

test('who has named a folder at the start is not asked where the music is', async () => {
  await using node = await startNode({
    music: [wesnoth],
    env: { HOCKET_ADMIN_USER: undefined, HOCKET_ADMIN_PASSWORD: undefined },
  })
  await using browser = await openBrowser()
  await using visitor = await visit(browser, node)
  const { page } = visitor
  await page.goto('/')
  await page.getByLabel('User name').fill('ada')
  await page.getByLabel('Password').fill('correct horse battery')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: /, ada\??$/ }).waitFor()
})

test('a wrong password is said in words with help; the right one leads to where the person was going', async () => {
  await using node = await startNode()
  await using browser = await openBrowser()
  await using visitor = await visit(browser, node)
  const { page } = visitor
  await page.goto('/settings')
  await page.getByLabel('User name').fill('ada')
  await page.getByLabel('Password').fill('a wrong password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page
    .getByRole('alert')
    .getByText(/password/i)
    .first()
    .waitFor()
  await page.getByLabel('Password').fill('correct horse battery staple')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/settings')
})
