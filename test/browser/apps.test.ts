import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openBrowser } from '../harness/browser.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startNode } from '../harness/node.ts'
import { waitFor } from '../harness/wait.ts'
import { phone, visit } from './visit.ts'

test('[S2] an app is connected: three lines to copy, a QR code for the phone, one secret, and the way to revoke it', async (t) => {
  await using node = await startNode()
  await using browser = await openBrowser()
  const ada = await node.administrator()
  /** As a phone in the house sees the server: by a name, over plain HTTP. */
  const baseUrl = `http://hocket.test:${new URL(node.baseUrl).port}`
  await using visiting = await visit(browser, { baseUrl, token: ada.token })
  const { page } = visiting
  let secret = ''
  let scanned = ''

  const ping = async (password: string) => {
    const query = new URLSearchParams({ u: 'ada', p: password, v: '1.16.1', c: 'test', f: 'json' })
    const response = await fetch(new URL(`/rest/ping?${query}`, node.baseUrl))
    return JSON.stringify(await response.json())
  }

  await t.test('the settings make it, and copy it where browsers give pages no clipboard', async () => {
    await page.goto('/settings')
    await page.getByText(/Your own password does not work in apps/).waitFor()
    await page.getByLabel('New app').fill('Phone')
    await page.getByRole('button', { name: 'Make a secret' }).click()
    const dialog = page.getByRole('dialog', { name: 'Connect Phone' })
    assert.equal(await dialog.getByRole('textbox', { name: 'Server address' }).inputValue(), baseUrl)
    assert.equal(await dialog.getByRole('textbox', { name: 'User name' }).inputValue(), 'ada')
    const line = dialog.getByRole('textbox', { name: 'Secret' })
    secret = await line.inputValue()
    await dialog.getByRole('button', { name: 'Copy' }).last().click()
    await dialog.getByText('Copied', { exact: true }).waitFor()
    scanned = await scan(await dialog.getByRole('img', { name: /QR code/ }).screenshot({ scale: 'device' }))
  })

  await t.test(
    'the phone’s camera opens a page with the same lines, and the address forgets them',
    async () => {
      assert.equal(new URL(scanned).origin, baseUrl)
      await using other = await visit(browser, { baseUrl, look: phone })
      const asked: string[] = []
      other.context.on('request', (request) => asked.push(`${request.url()} ${request.postData() ?? ''}`))
      await other.page.goto(scanned)
      await other.page.getByRole('heading', { name: 'Connect an app' }).waitFor()
      assert.equal(await other.page.getByLabel('Server address').inputValue(), baseUrl)
      assert.equal(await other.page.getByLabel('Secret (as the password)').inputValue(), secret)
      await waitFor(() => new URL(other.page.url()).hash === '', { what: 'the secret to leave the address' })
      const told = asked.filter((line) => line.replace(/#.*/, '').includes(secret))
      assert.deepEqual(told, [], 'the secret is sent nowhere')
      await other.page.reload()
      await other.page.getByRole('heading', { name: 'Nothing to show any more' }).waitFor()
    },
  )

  await t.test('the secret signs in, the password does not', async () => {
    assert.match(await ping(secret), /"status":"ok"/)
    assert.match(await ping('correct horse battery staple'), /"code":4[01]/)
  })

  await t.test('it is shown once, then only when it was used; revoked, it opens nothing', async () => {
    await page.getByRole('button', { name: 'I have it' }).click()
    await page.getByLabel('New app').press('ControlOrMeta+v')
    assert.equal(await page.getByLabel('New app').inputValue(), secret, 'it had been copied')
    const line = page.getByRole('listitem').filter({ hasText: 'Phone' })
    // When it was used is written down after the answer, and the page tells it when it is opened.
    await waitFor(
      async () => {
        await page.reload()
        return /Used (now|\d+ seconds? ago)/.test((await line.textContent()) ?? '')
      },
      { what: 'the page to tell when the secret was used' },
    )
    assert.equal((await page.content()).includes(secret), false)
    await line.getByRole('button', { name: 'Revoke Phone' }).click()
    const dialog = page.getByRole('dialog', { name: /Revoke the secret of Phone/ })
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await line.waitFor({ state: 'detached' })
    assert.match(await ping(secret), /"status":"failed"/)
  })
})

/** What a camera reads in the picture. */
async function scan(picture: Buffer): Promise<string> {
  await using folder = await temporaryFolder('qr')
  const path = join(folder.path, 'code.png')
  await writeFile(path, picture)
  const { stdout } = await promisify(execFile)('zbarimg', ['--quiet', '--raw', path])
  return stdout.trim()
}
