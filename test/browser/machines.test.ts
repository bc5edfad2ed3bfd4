import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrowser } from '../harness/browser.ts'
import { startCluster } from '../harness/cluster.ts'
import { phone, visit } from './visit.ts'

test('an administrator sees the machines and what happened, and changes settings, a name and a place', async () => {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startCluster({ nodes: 1 }))
  const browser = stack.adopt(await openBrowser(), (opened) => opened.close())
  const [node] = cluster.nodes
  assert.ok(node)
  const { token } = await node.administrator()
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
  await page.getByRole('alert').waitFor()
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
})
