import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Locator } from 'playwright-core'
import { shareDeviceKey } from '../../src/accounts/device-key.ts'
import { authorities, authorityId } from '../../src/registry/facts.ts'
import { encryptKey } from '../../src/registry/trust/authority.ts'
import { withMaker } from '../../src/registry/trust/maker.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { writeMusic } from '../../tools/demo/music.ts'
import { openBrowser } from '../harness/browser.ts'
import { type ClusterNode, etcdOf, startCluster } from '../harness/cluster.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { runHocket } from '../harness/node.ts'
import { scanned } from '../harness/scan.ts'
import { standStill } from '../harness/stand-still.ts'
import { waitFor } from '../harness/wait.ts'
import { heard, phone, visit } from './visit.ts'

/** A cluster of one machine, as its administrator sees it. */

const dayMs = 86_400_000
const world = new AsyncDisposableStack()
let browser: Browser
let node: ClusterNode
let token: string
before(async () => {
  const music = world.use(await temporaryFolder('music'))
  await writeMusic(music.path, 60)
  const cluster = world.use(
    await startCluster({ nodes: 1, music: () => [music.path], prepare: makeOldAuthority }),
  )
  browser = world.adopt(await openBrowser(), (opened) => opened.close())
  const [first] = cluster.nodes
  assert.ok(first)
  node = first
  const ada = await node.administrator()
  await scanned(ada)
  token = ada.token
})
after(() => world.disposeAsync())

/** Whether all of it lies on the screen. */
const isOnScreen = (shown: Locator) =>
  shown.evaluate((element) => {
    const { left, right } = element.getBoundingClientRect()
    return left >= 0 && right <= document.documentElement.clientWidth
  })

/** As a cluster has it that is almost as old as its authority may become. */
async function makeOldAuthority(data: string): Promise<void> {
  const secret = shareDeviceKey(join(data, 'secrets'))
  const cluster = crypto.randomUUID()
  const now = Date.now() - 25 * 365 * dayMs + 30 * dayMs
  const { certificate, key } = await withMaker((maker) => maker.call('authority', { cluster, now }))
  const encryptedKey = encryptKey(key, secret, cluster)
  await using store = await openSqliteStore(join(data, 'store.db'))
  await store.commit(authorities.create(authorityId, { cluster, certificates: [certificate], encryptedKey }))
}

test('an administrator sees the machines and what happened, and changes settings, a name and a place', async () => {
  await using visiting = await visit(browser, { baseUrl: node.node.baseUrl, token })
  const { page } = visiting
  await page.goto('/administration/machines')
  const machine = page.getByRole('listitem').filter({ hasText: 'Place: node-1' })
  await machine.getByText('answers you').waitFor()
  await machine.getByText('does everything').waitFor()
  await page.getByText('node-1 joined.').waitFor()

  await machine.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Name').fill('nas')
  await page.getByLabel('Place').fill('cellar')
  await page.getByLabel(/Room for songs/).fill('500')
  await page.getByRole('button', { name: 'Save' }).click()
  const nas = page.getByRole('listitem').filter({ hasText: 'Place: cellar' })
  await nas.getByText('at most 500 GB').waitFor()

  await page.getByRole('button', { name: 'Change' }).click()
  await page.getByLabel('Copies that an upload waits for').fill('3')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await page.getByLabel('Copies of each song').fill('3')
  await page.getByLabel(/Patience/).fill('30')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Each song is kept on 3 machines').waitFor()
  await page.getByText('may be silent for 30 min').waitFor()
  await page.getByText('The settings of the cluster were changed.').waitFor()
  assert.deepEqual((await node.status()).settings, { replicas: 3, writeQuorum: 3, graceSeconds: 1_800 })

  await using small = await visit(browser, { baseUrl: node.node.baseUrl, token, look: phone })
  await small.page.goto('/administration/machines')
  await small.page.getByText('nas', { exact: true }).first().waitFor()
  const isWider = () => document.documentElement.scrollWidth > document.documentElement.clientWidth
  assert.equal(await small.page.evaluate(isWider), false)
  const open = small.page
    .getByRole('navigation', { name: 'Administration' })
    .getByRole('link', { name: 'Machines' })
  await waitFor(() => isOnScreen(open), {
    what: 'the open part of the row that is wider than a phone to be seen',
  })
})

test('[N2] without the store the page browses, searches and plays, and says what cannot be saved', async () => {
  await using visiting = await visit(browser, { baseUrl: node.node.baseUrl, token })
  const { page } = visiting
  await page.goto('/songs')
  await page.getByRole('button', { name: 'Play In Three Rooms' }).waitFor()
  const etcd = await etcdOf(node.data)
  await standStill(etcd)
  try {
    await page.reload()
    await page.getByRole('button', { name: 'Play In Three Rooms' }).click()
    await heard(page)
    await page.getByRole('button', { name: 'More for In Three Rooms' }).click()
    await page.getByRole('menuitem', { name: 'Details' }).click()
    await page.getByText('Too few machines agree. The rest is shown').waitFor()
    await page.keyboard.press('Escape')
    await page
      .getByRole('button', { name: /^Love In Three Rooms/ })
      .first()
      .click()
    // A write that a member has taken is waited for as long as it may yet be carried out.
    await page
      .locator('.notices')
      .getByText(/took longer than it may|cannot be reached/)
      .waitFor({ timeout: 60_000 })
    await page.goto('/administration/machines')
    await page.getByText(/Too few machines agree: the music plays/).waitFor()
  } finally {
    process.kill(etcd, 'SIGCONT')
  }
})

test('an authority that is about to expire is told on the page and by commands, and replaced from there', async () => {
  const told = async (command: string) => (await runHocket([command, '--data', node.data])).stdout
  await using visiting = await visit(browser, { baseUrl: node.node.baseUrl, token })
  const { page } = visiting
  await page.goto('/administration/machines')
  const [status, doctor] = await Promise.all([
    told('status'),
    told('doctor'),
    page.getByText(/The authority that vouches for the machines expires on/).waitFor(),
  ])
  assert.match(status, /^Authority +it holds until .*cluster authority renew/m)
  assert.match(doctor, /authority of the cluster: it holds until .*cluster authority renew/)
  await page.getByRole('button', { name: 'Replace it' }).click()
  await page.getByText('The machines are getting a new authority').waitFor()
  const isNew = async () => (await node.status()).authority.expiresAt > Date.now() + 20 * 365 * dayMs
  await waitFor(isNew, { what: 'the new authority to sign' })
})
