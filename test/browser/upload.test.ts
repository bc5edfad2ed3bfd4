import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openBrowser } from '../harness/browser.ts'
import { startNode } from '../harness/node.ts'
import { waitFor } from '../harness/wait.ts'
import { wesnoth } from './house.ts'
import { heard, visit } from './visit.ts'

test('several files are uploaded with progress, duplicates are said, and what arrived plays', async () => {
  await using node = await startNode()
  await using browser = await openBrowser()
  const ada = await node.administrator()
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting
  await page.goto('/')
  await page.getByRole('heading', { name: 'There is no music here yet' }).waitFor()
  await page.getByRole('link', { name: 'Upload files' }).click()

  const files = ['battle-epic.ogg', 'sad.ogg', 'defeat.ogg'].map((name) => join(wesnoth, name))
  await page.locator('input[type=file]').setInputFiles(files)
  await page.getByText('3 of 3 files uploaded').waitFor({ timeout: 60_000 })
  const progress = page.getByRole('progressbar').first()
  await waitFor(async () => (await progress.getAttribute('aria-valuenow')) === '100', { what: 'all of it' })

  await page.locator('input[type=file]').setInputFiles(join(wesnoth, 'sad.ogg'))
  await page.getByText(/Was here already/).waitFor()

  await page.locator('input[type=file]').setInputFiles({
    name: 'not-music.mp3',
    mimeType: 'audio/mpeg',
    buffer: Buffer.from('This is no music at all. '.repeat(100)),
  })
  await page.getByText('Not uploaded').waitFor()
  await page.locator('.upload-error', { hasText: /^The file is not audio\. Upload music/ }).waitFor()

  await page.getByRole('button', { name: 'Take back Defeat' }).click()
  await page
    .getByRole('dialog')
    .getByText(/leaves the library for everyone/)
    .waitFor()
  await page.getByRole('button', { name: 'Take back this upload' }).click()
  await page.getByText('“Defeat” was taken back').waitFor()

  await page.getByRole('link', { name: 'Songs' }).click()
  await page.getByRole('button', { name: 'Play Battle Epic' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Play Defeat' }).count(), 0)
  await page.getByRole('button', { name: /^More for Sad/ }).click()
  await page.getByRole('menuitem', { name: 'Details' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take back this upload' }).click()
  await page
    .getByRole('dialog', { name: /^Take back “/ })
    .getByRole('button', { name: 'Take back this upload' })
    .click()
  await page.getByRole('button', { name: /^Play Sad/ }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Play Battle Epic' }).click()
  await heard(page)
})
