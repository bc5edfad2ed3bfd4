import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Ground, openGround } from '../../test/fixtures/ground.ts'
import { createQuickPasswords } from '../../test/fixtures/passwords.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { openIndex } from '../index/index.ts'
import { type CodedError, type ErrorCode, isCoded } from '../protocol/errors.ts'
import type { Accounts, NewSession, SignIn } from './accounts.ts'
import { administrators, sessions, users } from './collections.ts'
import { accountsProjection, createAccounts } from './create.ts'
import { createPasswords, type Passwords } from './password.ts'
import { createRows } from './rows.ts'
import { sweep } from './sweep.ts'

const coded =
  (code: ErrorCode) =>
  (error: unknown): error is CodedError =>
    isCoded(error, code)

const minute = 60_000
const day = 24 * 60 * minute

const openOwnGround = () => openGround([accountsProjection])
let ground: Ground
before(async () => {
  ground = await openOwnGround()
})
after(() => ground[Symbol.asyncDispose]())

interface Given {
  readonly on?: Ground
  readonly passwords?: Passwords
}

/** The real accounts on a real store and index, with a clock that the test moves. */
async function open({ on = ground, passwords = createQuickPasswords() }: Given = {}) {
  await on.clear()
  const { folder, store, index } = on
  const stack = new AsyncDisposableStack()
  const secretsFolder = join(await mkdtemp(join(folder, 'data-')), 'secrets')
  let now = Date.UTC(2026, 10, 21)
  const clock = () => now
  const accounts = stack.use(createAccounts({ store, index, secretsFolder, passwords, clock }))
  return {
    folder,
    secretsFolder,
    store,
    index,
    accounts,
    clock,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    /** Waits until the index shows what has been written in the background. */
    settled: (holds: () => boolean) => waitFor(holds, { what: 'the index to show it' }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const password = 'a long enough password'
const who = (name: string, extra: Partial<SignIn> = {}): SignIn => ({
  name,
  password,
  client: 'test',
  address: '192.0.2.1',
  ...extra,
})

async function openWithAda(given?: Given) {
  const opened = await open(given)
  const { value: ada } = await opened.accounts.setup({ name: 'Ada', password })
  return { ...opened, ada }
}

async function filesBelow(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return await Promise.all(
    files.map(async ({ name, parentPath }) => ({ name, bytes: await readFile(join(parentPath, name)) })),
  )
}

async function signIn(accounts: Accounts, name: string): Promise<NewSession> {
  return (await accounts.signIn(who(name))).value
}

test('the first start makes one administrator, whoever else tries at the same moment', async () => {
  await using opened = await open()
  const { accounts, store } = opened
  assert.equal(accounts.needsSetup(), true)
  const attempts = await Promise.allSettled(
    ['Ada', 'Bob', 'Cid'].map((name) => accounts.setup({ name, password })),
  )
  assert.equal(attempts.filter((attempt) => attempt.status === 'fulfilled').length, 1)
  for (const attempt of attempts) {
    if (attempt.status === 'rejected') assert.ok(isCoded(attempt.reason, 'SETUP_DONE'))
  }
  assert.equal(accounts.needsSetup(), false)
  assert.equal(accounts.users().length, 1)
  assert.equal(accounts.users()[0]?.role, 'administrator')
  assert.equal((await administrators.get(store, ''))?.value.users.length, 1)
  await assert.rejects(accounts.setup({ name: 'Eve', password }), coded('SETUP_DONE'))
})

test('signing in gives a token that is known at once, and nothing secret is stored or shown', async () => {
  await using opened = await openWithAda()
  const { accounts, store, folder, ada } = opened
  const { value, revision } = await accounts.signIn(who('ada'))
  assert.equal(revision, (await store.status()).revision)
  assert.match(value.token, /^[\w-]{43}$/)
  assert.deepEqual(accounts.authenticate(value.token), { user: ada, session: value.session })
  assert.equal(accounts.authenticate(`${value.token.slice(1)}x`), null)
  assert.equal(accounts.authenticate(''), null)
  assert.equal(accounts.authenticate("'; DROP TABLE accounts_users"), null)
  assert.equal('passwordHash' in ada, false)
  // [S2] Neither the password nor the token lies in any file of the data folder.
  for (const { name, bytes } of await filesBelow(folder)) {
    assert.equal(bytes.includes(password) || bytes.includes(value.token), false, name)
  }
})

test('[S2] passwords are kept as argon2id with the parameters of the present', async () => {
  await using opened = await openWithAda({ passwords: createPasswords() })
  const fact = await users.get(opened.store, opened.ada.id)
  assert.match(
    fact?.value.passwordHash ?? '',
    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
  )
})

test('[S2] a hash of older parameters lets in, and is made anew', async () => {
  await using opened = await openWithAda({ passwords: createPasswords() })
  const { accounts, store, ada } = opened
  // Made with another implementation (the reference argon2 command line), so it also proves the format.
  const old = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
  const before = await users.get(store, ada.id)
  assert.ok(before)
  await store.commit(users.replace(ada.id, before.revision, { ...before.value, passwordHash: old }))
  await accounts.signIn(who('ada', { password: 'password' }))
  const after = (await users.get(store, ada.id))?.value.passwordHash ?? ''
  assert.match(after, /m=19456,t=2,p=1/)
  await accounts.signIn(who('ada', { password: 'password' }))
})

test('an unknown name and a wrong password are answered alike, in about the same time', async () => {
  await using opened = await openWithAda({ passwords: createPasswords() })
  const { accounts } = opened
  const time = async (input: SignIn) => {
    const start = performance.now()
    await assert.rejects(accounts.signIn(input), coded('WRONG_CREDENTIALS'))
    return performance.now() - start
  }
  const wrong = await time(who('ada', { password: 'not the password' }))
  const unknown = await time(who('nobody', { password: 'not the password' }))
  const impossible = await time(who('no\nname', { password: 'not the password' }))
  // Filling 19 MiB twice takes longer than this on any machine, and everything else less: a shortcut would show.
  for (const each of [wrong, unknown, impossible]) assert.ok(each > 5, `${wrong} ${unknown} ${impossible} ms`)
})

test('a password counts as the same however its letters are composed', async () => {
  await using opened = await open()
  await opened.accounts.setup({ name: 'Ada', password: 'contraseña ñandú' })
  await opened.accounts.signIn(who('Ada', { password: 'contraseña ñandú'.normalize('NFD') }))
})

test('names are unique without regard to case and width, and stay free of anything odd', async () => {
  await using opened = await openWithAda()
  const { accounts } = opened
  for (const name of ['ada', 'ADA', 'Ａｄａ']) {
    await assert.rejects(accounts.createUser({ name, password }), coded('NAME_TAKEN'))
  }
  for (const name of ['', ' ', 'a b', 'a/b', 'a\0', '../x', 'x'.repeat(65), 'ﷺ', '<b>']) {
    await assert.rejects(accounts.createUser({ name, password }), coded('BAD_REQUEST'), name)
  }
  for (const short of ['', 'short', 'x'.repeat(1_025)]) {
    await assert.rejects(accounts.createUser({ name: 'bob', password: short }), coded('BAD_REQUEST'))
  }
  const straße = (await accounts.createUser({ name: 'Straße', password })).value
  assert.equal(accounts.userByName('STRASSE')?.id, straße.id)
  const race = await Promise.allSettled(
    ['Zoë', 'zoë', 'ZOË'].map((name) => accounts.createUser({ name, password })),
  )
  assert.equal(race.filter((one) => one.status === 'fulfilled').length, 1)
})

test('a user can be renamed, and the old name is free again', async () => {
  await using opened = await openWithAda()
  const { accounts, ada } = opened
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  await assert.rejects(accounts.changeUser(bob.id, { name: 'ADA' }), coded('NAME_TAKEN'))
  await accounts.changeUser(ada.id, { name: 'ADA' })
  assert.equal(accounts.user(ada.id)?.name, 'ADA')
  await accounts.changeUser(bob.id, { name: 'robert', quotaBytes: 5, language: 'es' })
  await accounts.changeUser(bob.id, { quotaBytes: null })
  assert.deepEqual(accounts.user(bob.id), { ...bob, name: 'robert', language: 'es' })
  await signIn(accounts, 'Robert')
  await assert.rejects(accounts.signIn(who('bob')), coded('WRONG_CREDENTIALS'))
  await accounts.createUser({ name: 'Bob', password })
})

test('the last administrator stays, whatever is tried, and in a race too', async () => {
  await using opened = await openWithAda()
  const { accounts, ada, store } = opened
  await assert.rejects(accounts.removeUser(ada.id), coded('LAST_ADMINISTRATOR'))
  await assert.rejects(accounts.changeUser(ada.id, { role: 'user' }), coded('LAST_ADMINISTRATOR'))
  await assert.rejects(accounts.changeUser(ada.id, { disabled: true }), coded('LAST_ADMINISTRATOR'))
  const bob = (await accounts.createUser({ name: 'bob', password, role: 'administrator' })).value
  const race = await Promise.allSettled([
    accounts.changeUser(ada.id, { role: 'user' }),
    accounts.removeUser(bob.id),
  ])
  assert.equal(race.filter((one) => one.status === 'fulfilled').length, 1)
  assert.equal((await administrators.get(store, ''))?.value.users.length, 1)
  assert.equal(accounts.users().filter((user) => user.role === 'administrator').length, 1)
})

test('who is removed is gone with name, sessions and devices', async () => {
  await using opened = await openWithAda()
  const { accounts, store } = opened
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  const { token } = await signIn(accounts, 'bob')
  const { secret } = (await accounts.createDevice(bob.id, 'phone')).value
  await accounts.removeUser(bob.id)
  assert.equal(accounts.authenticate(token), null)
  assert.equal(accounts.verifyDevice({ apiKey: secret }, '192.0.2.1'), null)
  assert.equal(accounts.user(bob.id), null)
  const left = await store.list('accounts/')
  assert.equal(
    left.entries.some((entry) => new TextDecoder().decode(entry.value).includes(bob.id)),
    false,
  )
  await assert.rejects(accounts.removeUser(bob.id), coded('NOT_FOUND'))
  await accounts.createUser({ name: 'bob', password })
})

test('who is disabled is out at once, hears why only with the right password, and may come back', async () => {
  await using opened = await openWithAda()
  const { accounts } = opened
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  const { token } = await signIn(accounts, 'bob')
  const { secret } = (await accounts.createDevice(bob.id, 'phone')).value
  await accounts.changeUser(bob.id, { disabled: true })
  assert.equal(accounts.authenticate(token), null)
  assert.equal(accounts.verifyDevice({ apiKey: secret }, '192.0.2.1'), null)
  await assert.rejects(accounts.signIn(who('bob')), coded('ACCOUNT_DISABLED'))
  await assert.rejects(accounts.signIn(who('bob', { password: 'wrong one' })), coded('WRONG_CREDENTIALS'))
  await accounts.changeUser(bob.id, { disabled: false })
  assert.equal(accounts.authenticate(token), null)
  await signIn(accounts, 'bob')
  assert.equal(accounts.verifyDevice({ apiKey: secret }, '192.0.2.1')?.user.id, bob.id)
})

test('a new password of one’s own asks for the old one, and ends the other sessions', async () => {
  await using opened = await openWithAda()
  const { accounts, ada } = opened
  const [here, there] = [await signIn(accounts, 'ada'), await signIn(accounts, 'ada')]
  const input = {
    user: ada.id,
    session: here.session.id,
    address: '192.0.2.1',
    newPassword: 'another password',
  }
  await assert.rejects(
    accounts.changePassword({ ...input, oldPassword: 'wrong' }),
    coded('WRONG_CREDENTIALS'),
  )
  assert.notEqual(accounts.authenticate(there.token), null)
  await accounts.changePassword({ ...input, oldPassword: password })
  assert.notEqual(accounts.authenticate(here.token), null)
  assert.equal(accounts.authenticate(there.token), null)
  await assert.rejects(accounts.signIn(who('ada')), coded('WRONG_CREDENTIALS'))
  await accounts.signIn(who('ada', { password: 'another password' }))
})

test('a password set by an administrator ends every session of the user', async () => {
  await using opened = await openWithAda()
  const { accounts } = opened
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  const { token } = await signIn(accounts, 'bob')
  await accounts.changeUser(bob.id, { password: 'given by ada' })
  assert.equal(accounts.authenticate(token), null)
  await accounts.signIn(who('bob', { password: 'given by ada' }))
})

test('sessions are listed, ended one by one or together, and only by their owner', async () => {
  await using opened = await openWithAda()
  const { accounts, ada } = opened
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  const [one, two, three] = [
    await signIn(accounts, 'ada'),
    (await accounts.openSession(ada.id, `\u0000 Fire\nfox ${'x'.repeat(400)}`)).value,
    await signIn(accounts, 'ada'),
  ]
  assert.equal(accounts.sessions(ada.id).length, 3)
  assert.match(two.session.client, /^Fire fox x+$/)
  assert.equal(two.session.client.length, 300)
  await assert.rejects(accounts.endSession(bob.id, one.session.id), coded('NOT_FOUND'))
  await accounts.endSession(ada.id, one.session.id)
  assert.equal(accounts.authenticate(one.token), null)
  await accounts.endSessions(ada.id, three.session.id)
  assert.equal(accounts.authenticate(two.token), null)
  assert.deepEqual(accounts.sessions(ada.id), [three.session])
})

test('a session lasts 90 days after it was last seen, and being seen is written once in five minutes', async () => {
  await using opened = await openWithAda()
  const { accounts, pass, store, clock, settled } = opened
  const { token, session } = await signIn(accounts, 'ada')
  pass(4 * minute)
  accounts.authenticate(token)
  const { revision } = await store.status()
  pass(89 * day)
  for (let each = 0; each < 10; each += 1) assert.notEqual(accounts.authenticate(token), null)
  await settled(() => accounts.authenticate(token)?.session.lastSeenAt === clock())
  assert.equal((await store.status()).revision, revision + 1)
  pass(89 * day)
  assert.equal(accounts.authenticate(token)?.session.id, session.id)
  await settled(() => accounts.authenticate(token)?.session.lastSeenAt === clock())
  pass(90 * day)
  assert.equal(accounts.authenticate(token), null)
  assert.deepEqual(accounts.sessions(session.user), [])
})

test('signing in over and over keeps the newest sessions only', async () => {
  await using opened = await openWithAda()
  const { accounts, ada, pass } = opened
  const first = (await accounts.openSession(ada.id, 'first')).value
  for (let each = 0; each < 61; each += 1) {
    pass(1_000)
    await accounts.openSession(ada.id, `number ${each}`)
  }
  assert.equal(accounts.sessions(ada.id).length, 60)
  assert.equal(accounts.authenticate(first.token), null)
})

test('an invitation makes one account, of its role, while it is good', async () => {
  await using opened = await openWithAda()
  const { accounts, ada, clock, pass } = opened
  const invite = async (role: 'user' | 'administrator') =>
    (await accounts.invite({ role, createdBy: ada.id, expiresAt: clock() + day, note: 'for Bob' })).value
  const { token, invitation } = await invite('user')
  assert.deepEqual(accounts.invitation(token), invitation)
  assert.deepEqual(accounts.invitations(), [invitation])
  assert.equal(accounts.invitation('x'.repeat(43)), null)

  await assert.rejects(accounts.acceptInvitation(token, { name: 'ADA', password }), coded('NAME_TAKEN'))
  const race = await Promise.allSettled(
    ['bob', 'eve'].map((name) => accounts.acceptInvitation(token, { name, password })),
  )
  assert.equal(race.filter((one) => one.status === 'fulfilled').length, 1)
  assert.equal(accounts.users().length, 2)
  await assert.rejects(accounts.acceptInvitation(token, { name: 'cid', password }), coded('INVITATION_ENDED'))

  const second = await invite('administrator')
  const made = (await accounts.acceptInvitation(second.token, { name: 'dee', password })).value
  assert.equal(made.role, 'administrator')

  const revoked = await invite('user')
  await accounts.revokeInvitation(revoked.invitation.id)
  await assert.rejects(accounts.revokeInvitation(revoked.invitation.id), coded('NOT_FOUND'))
  const late = await invite('user')
  pass(day)
  for (const { token } of [revoked, late]) {
    assert.equal(accounts.invitation(token), null)
    await assert.rejects(
      accounts.acceptInvitation(token, { name: 'fay', password }),
      coded('INVITATION_ENDED'),
    )
  }
  assert.deepEqual(accounts.invitations(), [])
})

test('[S2] a device is let in by key, by salted token or by password, and its secret is nowhere in the open', async () => {
  await using opened = await openWithAda()
  const { accounts, ada, folder, secretsFolder, clock, settled } = opened
  const { device, secret } = (await accounts.createDevice(ada.id, 'phone')).value
  await accounts.createDevice(ada.id, 'radio')
  assert.match(secret, /^[a-z2-9]{27}$/)
  const salt = 'c19b2d'
  const token = createHash('md5').update(`${secret}${salt}`).digest('hex')
  const at = '192.0.2.1'
  for (const credentials of [
    { apiKey: secret },
    { name: 'ADA', token, salt },
    { name: 'ada', token: token.toUpperCase(), salt },
    { name: 'ada', password: secret },
  ]) {
    const found = accounts.verifyDevice(credentials, at)
    assert.deepEqual([found?.user.id, found?.device.id], [ada.id, device.id])
  }
  const bob = (await accounts.createUser({ name: 'bob', password })).value
  for (const credentials of [
    { apiKey: 'x' },
    { apiKey: '' },
    { name: 'bob', token, salt },
    { name: 'bob', password: secret },
    { name: 'ada', token, salt: 'other' },
    { name: 'ada', token: 'nonsense', salt },
    { name: 'ada', password },
    { name: 'nobody', token, salt },
  ]) {
    assert.equal(accounts.verifyDevice(credentials, at), null)
  }
  await settled(() => accounts.devices(ada.id).some((each) => each.lastUsedAt === clock()))
  assert.equal(JSON.stringify(accounts.devices(ada.id)).includes('secret'), false)

  for (const { name, bytes } of await filesBelow(folder)) assert.equal(bytes.includes(secret), false, name)
  assert.equal((await stat(secretsFolder)).mode & 0o777, 0o700)
  assert.equal((await stat(join(secretsFolder, 'device-key'))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(secretsFolder), ['device-key'])

  await assert.rejects(accounts.removeDevice(bob.id, device.id), coded('NOT_FOUND'))
  await accounts.removeDevice(ada.id, device.id)
  assert.equal(accounts.verifyDevice({ apiKey: secret }, at), null)
})

test('a lost or damaged key is named, and never replaced while devices depend on it', async () => {
  await using opened = await openWithAda()
  const { ada, store, index, secretsFolder } = opened
  await opened.accounts.createDevice(ada.id, 'phone')
  const proof = { name: 'ada', token: 'd41d8cd98f00b204e9800998ecf8427e', salt: 'x' }
  const again = () => createAccounts({ store, index, secretsFolder, clock: opened.clock })
  for (const content of ['short', 'another key with 32 bytes in it.', undefined]) {
    await rm(join(secretsFolder, 'device-key'))
    if (content !== undefined) await writeFile(join(secretsFolder, 'device-key'), content)
    await using accounts = again()
    assert.throws(() => accounts.verifyDevice(proof, '192.0.2.1'), coded('SECRETS_UNREADABLE'))
    if (content === undefined) {
      await assert.rejects(accounts.createDevice(ada.id, 'tablet'), coded('SECRETS_UNREADABLE'))
      // The administrator removes what cannot be used any more, and goes on.
      for (const device of accounts.devices(ada.id)) await accounts.removeDevice(ada.id, device.id)
      await accounts.createDevice(ada.id, 'tablet')
    }
    // Signing in needs no key.
    await accounts.signIn(who('ada'))
  }
})

test('guessing becomes slow: per account and address, and per address over many names', async () => {
  await using opened = await openWithAda()
  const { accounts, pass } = opened
  const guess = (name: string, address: string) =>
    accounts.signIn(who(name, { password: 'a guess', address }))
  for (let each = 0; each < 6; each += 1) {
    await assert.rejects(guess('ada', '192.0.2.9'), coded('WRONG_CREDENTIALS'))
  }
  const waits = (seconds: number) => (error: unknown) =>
    isCoded(error, 'TOO_MANY_REQUESTS') && 'retryAfterSeconds' in error && error.retryAfterSeconds === seconds
  await assert.rejects(guess('ada', '192.0.2.9'), waits(1))
  // Even the right password waits; from elsewhere it does not.
  await assert.rejects(accounts.signIn(who('ada', { address: '192.0.2.9' })), waits(1))
  await accounts.signIn(who('ada', { address: '192.0.2.1' }))
  pass(1_000)
  await assert.rejects(guess('ada', '192.0.2.9'), coded('WRONG_CREDENTIALS'))
  await assert.rejects(guess('ada', '192.0.2.9'), waits(2))
  pass(2_000)
  await accounts.signIn(who('ada', { address: '192.0.2.9' }))
  await assert.rejects(guess('ada', '192.0.2.9'), coded('WRONG_CREDENTIALS'))
  await accounts.signIn(who('ada', { address: '192.0.2.9' }))

  // Many at once count before they are answered, so that speed does not help. An IPv6 network is one address.
  const many = await Promise.allSettled(
    Array.from({ length: 40 }, (_, each) => guess(`name${each}`, `2001:db8:1:2::${each}`)),
  )
  const refused = many.filter((one) => one.status === 'rejected' && isCoded(one.reason, 'TOO_MANY_REQUESTS'))
  assert.equal(refused.length, 9)
})

test('a device with an old secret is slowed down, and its neighbours at the same address are not', async () => {
  await using opened = await openWithAda()
  const { accounts, ada } = opened
  const { secret } = (await accounts.createDevice(ada.id, 'phone')).value
  const old = { name: 'ada', password: 'an old secret' }
  for (let each = 0; each < 21; each += 1) assert.equal(accounts.verifyDevice(old, '192.0.2.1'), null)
  assert.throws(() => accounts.verifyDevice(old, '192.0.2.1'), coded('TOO_MANY_REQUESTS'))
  assert.notEqual(accounts.verifyDevice({ name: 'ada', password: secret }, '192.0.2.1'), null)
})

test('while the store is away, people who are signed in and their devices are still let in', async () => {
  await using own = await openOwnGround()
  await using opened = await openWithAda({ on: own })
  const { accounts, ada, store, pass } = opened
  const { token } = await signIn(accounts, 'ada')
  const { secret } = (await accounts.createDevice(ada.id, 'phone')).value
  await store[Symbol.asyncDispose]()
  // Long enough that being seen would be written.
  pass(day)
  assert.equal(accounts.authenticate(token)?.user.id, ada.id)
  assert.equal(accounts.verifyDevice({ name: 'ada', password: secret }, '192.0.2.1')?.user.id, ada.id)
  assert.equal(accounts.users().length, 1)
  await assert.rejects(accounts.signIn(who('ada')), coded('UNREACHABLE'))
})

test('while the index is being filled, nobody is taken for a stranger', async () => {
  await using opened = await openWithAda()
  const { store, folder, secretsFolder } = opened
  const path = join(folder, 'second.db')
  await using index = await openIndex({ path, store, projections: [accountsProjection] })
  await using accounts = createAccounts({ store, index, secretsFolder })
  assert.throws(() => accounts.needsSetup(), coded('BEHIND'))
  assert.throws(() => accounts.authenticate('x'.repeat(43)), coded('BEHIND'))
  await opened.settled(() => index.progress.state === 'following')
  assert.equal(accounts.needsSetup(), false)
})

test('what is past its end is swept away, and nothing else', async () => {
  await using opened = await openWithAda()
  const { accounts, ada, store, index, clock, pass } = opened
  await signIn(accounts, 'ada')
  await accounts.invite({ role: 'user', createdBy: ada.id, expiresAt: clock() + day })
  // A session whose user went away in the moment in which it was made.
  const orphan = { ...(await signIn(accounts, 'ada')).session, user: crypto.randomUUID() }
  await store.commit(sessions.create('0'.repeat(64), orphan))
  pass(91 * day)
  const fresh = await signIn(accounts, 'ada')
  const context = { store, index, clock, rows: createRows(index), passwords: createPasswords() }
  await sweep(context, AbortSignal.timeout(60_000))
  await sweep(context, AbortSignal.timeout(60_000))
  const left = (await store.list(sessions.prefix)).entries.length
  assert.equal(left, 1)
  assert.equal((await store.list('accounts/invitations/')).entries.length, 0)
  assert.notEqual(accounts.authenticate(fresh.token), null)
})

test('a request is authenticated in microseconds', async () => {
  await using opened = await openWithAda()
  const { accounts } = opened
  const { token } = await signIn(accounts, 'ada')
  const rounds = 2_000
  for (let each = 0; each < rounds; each += 1) accounts.authenticate(token)
  // The time of the processor, which does not grow while others have it.
  const before = process.cpuUsage()
  for (let each = 0; each < rounds; each += 1) accounts.authenticate(token)
  const { user, system } = process.cpuUsage(before)
  const each = (user + system) / rounds
  assert.ok(each < 500, `${each} µs`)
})
