import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../harness/wait.ts'
import { openHouse } from './house.ts'
import { heard, soundOf, visit } from './visit.ts'

test('a household: invitations, apps, smart and imported playlists, libraries, strange codecs', async (t) => {
  await using house = await openHouse()
  const { node, browser, ada } = house
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting

  await t.test('a guest follows an invitation link, and is a listener, not an administrator', async () => {
    await page.goto('/administration/users')
    await page.getByRole('button', { name: 'Invite by link' }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    await page.getByLabel('Invitation link').waitFor()
    const link = await page.getByLabel('Invitation link').inputValue()
    await page.keyboard.press('Escape')
    await page.getByText('Open invitations').waitFor()

    await using guest = await visit(browser, { baseUrl: node.baseUrl })
    await guest.page.goto(link)
    await guest.page.getByText(/ada invites you/).waitFor()
    await guest.page.getByLabel('User name').fill('luis')
    await guest.page.getByLabel('Password').fill('password of luis')
    await guest.page.getByRole('button', { name: 'Create account' }).click()
    await guest.page.getByRole('heading', { level: 1, name: /luis/ }).waitFor()
    await guest.page.goto('/administration')
    await guest.page.getByRole('heading', { level: 1, name: /luis/ }).waitFor()
  })

  await t.test('the administrator sees them arrive, and can block them', async () => {
    const luis = page.getByRole('listitem').filter({ hasText: 'luis' })
    await luis.getByRole('button', { name: 'Edit' }).click()
    await page.getByRole('switch').click()
    await page.getByLabel(/Room for uploads/).fill('2.5')
    await page.getByRole('button', { name: 'Save' }).click()
    await luis.getByText('Blocked').waitFor()
  })

  await t.test('an app gets a secret of its own, shown once', async () => {
    await page.goto('/settings')
    await page.getByLabel('New app').fill('Phone')
    await page.getByRole('button', { name: 'Make a secret' }).click()
    const secret = await page.getByLabel('Secret (as the password)').inputValue()
    assert.ok(secret.length >= 16)
    await page.getByRole('button', { name: 'I have it' }).click()
    await page.getByText('Never used').waitFor()
    assert.equal(await page.getByText(secret).count(), 0)
  })

  await t.test('a smart playlist shows what fits while its rules are made, and follows them', async () => {
    await page.goto('/playlists')
    await page.getByRole('button', { name: 'New smart playlist' }).click()
    await page.getByLabel('Name').fill('Battles')
    await page.getByLabel('Field').selectOption('title')
    await page.getByLabel('Value').fill('battle')
    await page.getByText('2 songs fit now').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Play Battle Music' }).waitFor()
    await page.getByRole('button', { name: 'More for Battles' }).click()
    await page.getByRole('menuitem', { name: 'Edit rules' }).click()
    await page.getByLabel('Value').fill('epic')
    await page.getByText('1 song fits now').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Play Battle Music' }).waitFor({ state: 'detached' })
  })

  await t.test('an M3U comes in, with what was not found, and goes out again', async () => {
    await page.goto('/playlists')
    await page.locator('input[type=file]').setInputFiles({
      name: 'mix.m3u',
      mimeType: 'audio/x-mpegurl',
      buffer: Buffer.from('#EXTM3U\nbattle.ogg\nsad.ogg\nnowhere.mp3\n'),
    })
    await page
      .getByRole('dialog')
      .getByText(/nowhere\.mp3/)
      .waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('main').getByRole('link', { name: 'mix' }).click()
    await page.getByRole('button', { name: 'More for mix' }).click()
    const download = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: 'Export as M3U' }).click()
    assert.match((await download).suggestedFilename(), /^mix\.m3u8?$/)
    await page.getByRole('button', { name: 'More for mix' }).click()
    await page.getByRole('menuitem', { name: 'Show it to everyone here' }).click()
    await page.getByText('Everyone here sees it').waitFor()
  })

  await t.test('a library can be shown to chosen people only', async () => {
    await page.goto('/administration')
    await page.getByRole('button', { name: 'Edit' }).first().click()
    await page.getByRole('radio', { name: 'Chosen people' }).click()
    await page.getByRole('switch').first().click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/for 1 person/).waitFor()
  })

  await t.test('a browser that cannot decode the files hears them all the same, and can seek', async () => {
    await using other = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
    await other.page.addInitScript(() => {
      const real = HTMLMediaElement.prototype.canPlayType
      HTMLMediaElement.prototype.canPlayType = function canPlayType(type) {
        return type.includes('vorbis') ? '' : real.call(this, type)
      }
    })
    await other.page.goto('/songs')
    await other.page.getByRole('button', { name: 'Play Battle Music' }).click()
    assert.match((await heard(other.page)).source, /\/transcode\?.*offsetMs=0$/)
    await other.page.getByRole('slider', { name: 'Position' }).first().press('PageUp')
    // Half a minute on from wherever it was by then.
    await waitFor(
      async () => Number(/offsetMs=(\d+)$/.exec((await soundOf(other.page))?.source ?? '')?.[1]) >= 30_000,
      { what: 'sound from the new position' },
    )
    await heard(other.page)
  })

  await t.test('signing out leads to the login page', async () => {
    await page.goto('/')
    await page.getByRole('button', { name: /^Account of/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
  })
})
