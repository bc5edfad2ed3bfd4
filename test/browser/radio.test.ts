import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { encodeTone } from '../fixtures/audio.ts'
import { openBrowser } from '../harness/browser.ts'
import { type Client, signIn } from '../harness/client.ts'
import { listen } from '../harness/listen.ts'
import { startNode, type TestNode } from '../harness/node.ts'
import { waitFor } from '../harness/wait.ts'
import { wrongs } from './accessible.ts'
import { heard, phone, says, silent, visit } from './visit.ts'

/** A station: sends the same sound over and over, and tells who listens. */
async function startStation(sound: Buffer, bytesPerSecond: number) {
  const listeners = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    if (request.url !== '/live')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
    response.writeHead(200, { 'content-type': 'audio/mpeg' })
    listeners.add(response)
    // Some seconds at once, as stations do; and somewhat fast, since Chromium takes pieces of 32 KiB.
    let at = bytesPerSecond * 12
    response.write(sound.subarray(0, at))
    const timer = setInterval(() => {
      response.write(sound.subarray(at, at + bytesPerSecond / 2))
      at = (at + bytesPerSecond / 2) % (sound.length - bytesPerSecond)
    }, 250)
    response.on('close', () => {
      clearInterval(timer)
      listeners.delete(response)
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    listeners,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

let node: TestNode
let browser: Browser
let ada: Client
let station: Awaited<ReturnType<typeof startStation>>

before(async () => {
  const seconds = 60
  const sound = await encodeTone('mp3', seconds)
  ;[node, browser, station] = await Promise.all([
    startNode(),
    openBrowser(),
    startStation(sound, Math.ceil(sound.length / seconds / 4) * 4),
  ])
  ada = await node.administrator()
})
after(async () => {
  await browser?.close()
  await node?.[Symbol.asyncDispose]()
  await station?.[Symbol.asyncDispose]()
})

test('a station is added, heard through the server, left, changed and removed', async () => {
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting
  await page.goto('/')
  await page.getByRole('link', { name: 'Radio' }).click()
  await page.getByRole('heading', { name: 'No stations yet' }).waitFor()
  await page.getByRole('button', { name: 'Add a station' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Lagoon FM')
  await dialog.getByLabel('Address of the stream').fill('ftp://radio.example')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByRole('alert').getByText(/./).first().waitFor()
  await dialog.getByLabel('Address of the stream').fill(`${station.url}/live`)
  await dialog.getByRole('button', { name: 'Save' }).click()

  await page.getByRole('button', { name: 'Play Lagoon FM' }).click()
  const { source } = await heard(page)
  assert.match(source, /\/api\/stations\/[0-9a-f-]{36}\/stream$/)
  assert.equal(station.listeners.size, 1)
  const bar = page.getByRole('region', { name: 'Player' }).first()
  await says(bar, /Lagoon FM/)
  await bar.getByText('Live').waitFor()
  assert.equal(await bar.getByRole('slider', { name: 'Position' }).isDisabled(), true)
  assert.deepEqual(await wrongs(page), [])
  for (const response of station.listeners) response.destroy()
  await waitFor(() => station.listeners.size === 0, { what: 'the stream to break off' })
  await waitFor(() => station.listeners.size === 1, { what: 'the player to come back' })
  await heard(page)
  await page.getByRole('button', { name: 'Stop Lagoon FM' }).click()
  await silent(page)
  await waitFor(() => station.listeners.size === 0, { what: 'the station to be left' })
  await bar.getByRole('button', { name: 'Play', exact: true }).click()
  await heard(page)
  await bar.getByRole('button', { name: 'Pause', exact: true }).click()

  await page.getByRole('button', { name: 'More for Lagoon FM' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await dialog.getByLabel('Address of the stream').fill(`${station.url}/page`)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Play Lagoon FM' }).click()
  await says(bar, /sends nothing that can be played/)
  await page.getByRole('button', { name: 'More for Lagoon FM' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('heading', { name: 'No stations yet' }).waitFor()
})

test('on a phone everybody hears a station, and the queue is there again afterwards', async () => {
  const account = { name: 'guest', password: 'the password of guest' }
  await ada.call('POST', '/api/users', { ...account, role: 'user' })
  const guest = await signIn(node.baseUrl, account)
  await ada.call('POST', '/api/stations', { name: 'Night Ferry', streamUrl: `${station.url}/live` })
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: guest.token, look: phone })
  const { page } = visiting
  await page.goto('/more')
  await page.locator('main').getByRole('link', { name: 'Radio' }).click()
  await page.getByRole('button', { name: 'Play Night Ferry' }).click()
  await heard(page)
  assert.equal(await page.getByRole('button', { name: /Add a station|More for/ }).count(), 0)
  assert.deepEqual(await wrongs(page), [])
  await page.getByRole('link', { name: 'Open the large player' }).click()
  await page.getByRole('heading', { name: 'Night Ferry' }).waitFor()
  assert.equal(await page.title(), 'Night Ferry · Hocket')
  assert.deepEqual((await guest.get('/api/queue')).body, {
    tracks: [],
    items: [],
    episodes: [],
    positionMs: 0,
    changedAt: 0,
    changedBy: '',
  })
})
