import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../harness/browser.ts'
import { startNode } from '../harness/node.ts'
import { startLastfm, startListenBrainz, startReceiver } from '../harness/services.ts'
import { waitFor } from '../harness/wait.ts'
import { phone, visit } from './visit.ts'

test('connections: services and webhooks are connected, tried, explained where they refuse, and taken away', async (t) => {
  await using listenbrainz = await startListenBrainz()
  await using lastfm = await startLastfm()
  await using receiver = await startReceiver()
  await using node = await startNode()
  await using browser = await openBrowser()
  const { token } = await node.administrator()
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token, others: [lastfm.url] })
  const { page } = visiting
  const lineOf = (name: string) =>
    page.locator('#connections').getByRole('listitem').filter({ hasText: name })

  await t.test('a scrobbling service: a wrong token is said in words, and a good one connects', async () => {
    await page.goto('/settings')
    await page.getByRole('button', { name: 'Connect ListenBrainz' }).click()
    const dialog = page.getByRole('dialog', { name: 'Connect ListenBrainz' })
    await dialog.getByLabel('User token').fill('wrong token')
    await dialog.getByLabel('Server').fill(listenbrainz.url)
    const connect = dialog.getByRole('button', { name: 'Connect ListenBrainz' })
    await connect.click()
    await dialog
      .getByRole('alert')
      .filter({ hasText: /refuses this account/ })
      .waitFor()
    await dialog.getByLabel('User token').fill('good token')
    await connect.click()
    await lineOf('ListenBrainz · ada').waitFor()
  })

  await t.test('when it is tried, it is said whether the service takes us', async () => {
    const line = lineOf('ListenBrainz')
    const ask = line.getByRole('button', { name: 'Test ListenBrainz · ada' })
    listenbrainz.tokens.clear()
    await ask.click()
    await page
      .getByText(/refuses this account/)
      .first()
      .waitFor()
    listenbrainz.tokens.set('good token', 'ada')
    await ask.click()
    await page.getByText('ListenBrainz answers, and takes us').waitFor()
    await line.getByText('Needs you').waitFor({ state: 'detached' })
  })

  await t.test(
    'a webhook: what it is told is chosen, its key is shown once and signs what it gets',
    async () => {
      await page.getByRole('button', { name: 'Add a webhook' }).click()
      const dialog = page.getByRole('dialog', { name: 'Add a webhook' })
      await dialog.getByLabel('Address').fill(receiver.url)
      await dialog.getByLabel('You have heard a song').uncheck()
      const add = dialog.getByRole('button', { name: 'Add a webhook' })
      await add.click()
      const first = dialog.getByRole('checkbox').first()
      const complaint = () =>
        first.evaluate((box) => box instanceof HTMLInputElement && box.validationMessage)
      assert.equal(await complaint(), 'Choose at least one')
      assert.equal(receiver.received.length, 0)
      await dialog.getByLabel('A machine is gone or back, or copies are at risk').check()
      assert.equal(await complaint(), '')
      await add.click()
      const made = page.getByRole('dialog', { name: 'The webhook is connected' })
      receiver.secret = await made.getByRole('textbox', { name: 'Key of the signatures' }).inputValue()
      await made.getByRole('button', { name: 'Close' }).last().click()
      await lineOf('Webhook').getByRole('button', { name: 'Test Webhook' }).click()
      await page.getByText('Webhook answers, and takes us').waitFor()
      assert.deepEqual([receiver.received.length, receiver.forged], [2, 0])
      assert.equal((await page.content()).includes(receiver.secret), false)
    },
  )

  await t.test('Last.fm: set up for all by its keys, then allowed by the user on its own page', async () => {
    await page.getByRole('button', { name: 'Set up Last.fm' }).click()
    const dialog = page.getByRole('dialog', { name: 'Set up Last.fm' })
    await dialog.getByLabel('API key').fill(lastfm.apiKey)
    await dialog.getByLabel('Shared secret').fill(lastfm.sharedSecret)
    await dialog.getByLabel('Address of the interface').fill(lastfm.url)
    await dialog.getByLabel('Page that asks its users').fill(`${lastfm.url}/auth`)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Connect Last.fm' }).click()
    await page.waitForURL((url) => url.origin === lastfm.url)
    const back = new URL(page.url()).searchParams.get('cb') ?? ''
    assert.equal(new URL(back).origin, node.baseUrl)
    await page.goto(`${back}&token=allowed+token`)
    await lineOf('Last.fm · ada').waitFor()
    await waitFor(() => new URL(page.url()).search === '', { what: 'the token to leave the address' })
  })

  await t.test('on a phone all of it is in reach, and what is taken away is gone', async () => {
    await using other = await visit(browser, { baseUrl: node.baseUrl, token, look: phone })
    await other.page.goto('/settings')
    const webhook = other.page.locator('#connections').getByRole('listitem').filter({ hasText: 'Webhook' })
    await webhook.getByRole('button', { name: 'Disconnect Webhook' }).click()
    const dialog = other.page.getByRole('dialog', { name: 'Disconnect Webhook?' })
    await dialog.getByRole('button', { name: 'Disconnect' }).click()
    await webhook.waitFor({ state: 'detached' })
    const skip = await other.page.getByRole('link', { name: 'Skip to the content' }).boundingBox()
    assert.ok(skip !== null && skip.y < 0, 'what only keyboards need stays out of sight')
    const width = await other.page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(width <= 390, `the page is ${width} wide`)
  })
  assert.deepEqual(visiting.complaints, [])
})
