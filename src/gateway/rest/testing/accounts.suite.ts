import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import {
  account,
  deviceMade,
  deviceSummary,
  invitationMade,
  invitationOffer,
  sessionSummary,
  welcome,
} from '../../../protocol/api/accounts.ts'
import { problemDocument } from '../../../protocol/api/problem.ts'
import { password } from '../../testing/gateway.ts'
import { world } from '../../testing/shared.ts'
import type { Answer } from '../../testing/visitor.ts'

const { edge } = world

const listOf = <Item extends z.ZodType>(item: Item, answer: Answer) =>
  z.object({ items: z.array(item) }).parse(answer.body).items
const codeOf = (answer: Answer) => problemDocument.parse(answer.body).code

test('a person signs in, sees where else they are, and signs out', async () => {
  const here = await edge.person('sam')
  const there = await edge.anyone.enter('/api/session', { name: 'SAM', password, client: 'a phone' })
  const sessions = listOf(sessionSummary, await here.get('/api/sessions'))
  assert.equal(sessions.length, 2)
  assert.deepEqual(sessions.filter(({ current }) => current).length, 1)
  const phone = sessions.find(({ client }) => client === 'a phone')
  assert.equal((await here.delete(`/api/sessions/${phone?.id}`)).status, 204)
  assert.equal(codeOf(await there.get('/api/me')), 'NOT_SIGNED_IN')
  const farewell = await here.delete('/api/session')
  assert.match(farewell.headers.get('set-cookie') ?? '', /^hocket_session=; Path=\/; Max-Age=0;/)
  assert.equal((await here.get('/api/me')).status, 401)
})

test('[F4] a person changes their language and password; their other sessions end', async () => {
  const here = await edge.person('uma')
  const there = await edge.anyone.enter('/api/session', { name: 'uma', password })
  const changed = await here.patch('/api/me', {
    language: 'es',
    password: { old: password, new: 'another good password' },
  })
  assert.equal(account.parse(changed.body).language, 'es')
  assert.equal((await there.get('/api/me')).status, 401)
  assert.equal((await here.get('/api/me')).status, 200)
  const again = await here.patch('/api/me', { password: { old: password, new: 'a third good password' } })
  assert.equal(codeOf(again), 'WRONG_CREDENTIALS')
  assert.equal(codeOf(await here.patch('/api/me', { language: 'xx' })), 'BAD_REQUEST')
})

test('a wrong password is told apart from nothing, and guessing is slowed down', async () => {
  await edge.person('tom')
  const guess = (name: string) => edge.anyone.post('/api/session', { name, password: 'wrong password' })
  const [known, unknown] = [await guess('tom'), await guess('nobody')]
  assert.equal(codeOf(known), 'WRONG_CREDENTIALS')
  assert.deepEqual(
    { ...problemDocument.parse(known.body), instance: '' },
    { ...problemDocument.parse(unknown.body), instance: '' },
  )
  let answer = known
  for (let attempt = 0; attempt < 30 && answer.status === 401; attempt++) answer = await guess('tom')
  assert.equal(codeOf(answer), 'TOO_MANY_REQUESTS')
  assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
})

test('[S2] the secret of a device is shown once', async () => {
  const person = await edge.person('vic')
  const { device, secret } = deviceMade.parse((await person.post('/api/devices', { label: 'phone' })).body)
  assert.ok(secret.length >= 20)
  const list = await person.get('/api/devices')
  assert.deepEqual(
    listOf(deviceSummary, list).map(({ id }) => id),
    [device.id],
  )
  assert.ok(!list.bytes.includes(secret))
  assert.equal(codeOf(await (await edge.person('wes')).delete(`/api/devices/${device.id}`)), 'NOT_FOUND')
  assert.equal((await person.delete(`/api/devices/${device.id}`)).status, 204)
})

test('an administrator makes, changes, disables and deletes accounts', async () => {
  const { administrator } = edge
  const made = await administrator.post('/api/users', { name: 'xia', password, quotaBytes: 1_000 })
  const { id, role, quotaBytes } = account.parse(made.body)
  assert.deepEqual([made.status, role, quotaBytes], [201, 'user', 1_000])
  const person = await edge.anyone.enter('/api/session', { name: 'xia', password })
  assert.equal(codeOf(await administrator.post('/api/users', { name: 'Xia', password })), 'NAME_TAKEN')
  const changed = await administrator.patch(`/api/users/${id}`, { disabled: true, quotaBytes: null })
  assert.equal(account.parse(changed.body).quotaBytes, undefined)
  assert.equal((await person.get('/api/me')).status, 401)
  assert.equal(codeOf(await edge.anyone.post('/api/session', { name: 'xia', password })), 'ACCOUNT_DISABLED')
  assert.equal((await administrator.delete(`/api/users/${id}`)).status, 204)
  assert.equal(codeOf(await administrator.delete(`/api/users/${id}`)), 'NOT_FOUND')
  const users = await administrator.get('/api/users')
  assert.ok(listOf(account, users).every(({ name }) => name !== 'xia'))
  assert.doesNotMatch(users.bytes.toString(), /argon2|passwordHash/)
})

test('the last administrator stays', async () => {
  const me = account.parse((await edge.administrator.get('/api/me')).body)
  assert.equal(codeOf(await edge.administrator.delete(`/api/users/${me.id}`)), 'LAST_ADMINISTRATOR')
  const demoted = await edge.administrator.patch(`/api/users/${me.id}`, { role: 'user' })
  assert.equal(codeOf(demoted), 'LAST_ADMINISTRATOR')
})

test('an invitation makes one account', async () => {
  const { administrator, anyone } = edge
  const made = await administrator.post('/api/invitations', { note: 'for Yan', days: 1 })
  const { invitation, token } = invitationMade.parse(made.body)
  assert.ok(!(await administrator.get('/api/invitations')).bytes.includes(token))
  const offer = invitationOffer.parse((await anyone.get(`/api/invitations/${token}`)).body)
  assert.deepEqual([offer.role, offer.invitedBy], ['user', 'ada'])
  const guest = await anyone.enter(`/api/invitations/${token}/accept`, { name: 'yan', password })
  assert.equal(account.parse((await guest.get('/api/me')).body).name, 'yan')
  const late = await anyone.post(`/api/invitations/${token}/accept`, { name: 'zoe', password })
  assert.equal(codeOf(late), 'INVITATION_ENDED')
  assert.equal(codeOf(await anyone.get(`/api/invitations/${token}`)), 'INVITATION_ENDED')
  assert.equal(codeOf(await administrator.delete(`/api/invitations/${invitation.id}`)), 'NOT_FOUND')
  const other = invitationMade.parse((await administrator.post('/api/invitations', {})).body)
  assert.equal((await administrator.delete(`/api/invitations/${other.invitation.id}`)).status, 204)
  assert.equal(codeOf(await anyone.get(`/api/invitations/${other.token}`)), 'INVITATION_ENDED')
})

test('the page learns who is signed in', async () => {
  const nobody = welcome.parse((await edge.anyone.get('/api/welcome')).body)
  assert.deepEqual([nobody.needsSetup, nobody.account], [false, undefined])
  const someone = welcome.parse((await edge.administrator.get('/api/welcome')).body)
  assert.equal(someone.account?.name, 'ada')
})
