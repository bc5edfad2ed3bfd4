import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { withRunningNode } from '../../src/node/commands/remote.ts'
import { createTerminal } from '../../src/node/commands/terminal.ts'
import { readConfig } from '../../src/node/config.ts'
import { isCoded } from '../../src/protocol/errors.ts'
import { client, signIn } from '../harness/client.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { administrator, runHocket, startNode } from '../harness/node.ts'

/** The command line as a person uses it, on real nodes. */

test('accounts are made, listed, changed and disabled from the command line, with and without a server', async () => {
  await using node = await startNode()
  const hocket = (args: readonly string[], input?: string) =>
    runHocket([...args, '--data', node.data], input === undefined ? {} : { input })

  const made = await hocket(['user', 'add', 'bob'], 'first password\n')
  assert.equal(made.code, 0, made.stderr)
  await signIn(node.baseUrl, { name: 'bob', password: 'first password' })

  assert.match((await hocket(['user', 'add', 'bob'], 'first password\n')).stderr, /NAME_TAKEN/)
  assert.match((await hocket(['user', 'add', 'eve'], 'short\n')).stderr, /password/)
  assert.match((await hocket(['user', 'disable', administrator.name])).stderr, /LAST_ADMINISTRATOR/)

  assert.equal((await hocket(['user', 'disable', 'bob'])).code, 0)
  await assert.rejects(signIn(node.baseUrl, { name: 'bob', password: 'first password' }), /ACCOUNT_DISABLED/)
  assert.equal((await hocket(['user', 'enable', 'bob'])).code, 0)

  const secret = await hocket(['user', 'secret', 'bob', '--label', 'phone'])
  assert.match(secret.stdout, /^[a-z0-9]{20,}\n$/, 'the secret stands alone')

  assert.equal(await node.stop(), 0)
  const changed = await hocket(['user', 'password', 'bob'], 'second password\n')
  assert.equal(changed.code, 0, changed.stderr)
  const listed = await hocket(['user', 'list'])
  assert.deepEqual(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)),
    [
      [administrator.name, 'administrator'],
      ['bob', 'user'],
    ],
  )
  await using again = await startNode({ data: node.data })
  await signIn(again.baseUrl, { name: 'bob', password: 'second password' })
})

test('the commands of this machine are administrators; a guessed or old token is nobody', async () => {
  await using node = await startNode()
  const path = join(node.data, 'run', 'local.json')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const { token } = z.object({ token: z.string() }).parse(JSON.parse(await readFile(path, 'utf8')))
  assert.equal((await client(node.baseUrl, token).get('/api/status')).status, 200)
  assert.equal((await client(node.baseUrl, `${token.slice(1)}A`).get('/api/status')).status, 401)
  assert.equal(await node.stop(), 0)
  await assert.rejects(stat(path), { code: 'ENOENT' })
  await using again = await startNode({ data: node.data })
  assert.equal((await client(again.baseUrl, token).get('/api/status')).status, 401)
})

test('status tells a person and a program; without a server it says so', async () => {
  await using node = await startNode()
  const forPeople = await runHocket(['status', '--data', node.data])
  assert.match(forPeople.stdout, /^Music\s+0 tracks/m)
  const forPrograms = await runHocket(['status', '--json', '--data', node.data])
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(forPrograms.stdout))
  assert.match(version, /^\d+\.\d+\.\d+/)
  const context = {
    config: readConfig({ data: node.data }, {}),
    terminal: createTerminal({ input: process.stdin, output: process.stdout, errors: process.stderr }),
    signal: AbortSignal.timeout(60_000),
  }
  const ofAnotherVersion = z.object({ whatLaterVersionsSay: z.string() })
  await assert.rejects(
    withRunningNode(context, (remote) => remote.ask('/api/status', ofAnotherVersion)),
    (error) => isCoded(error, 'NODE_DIFFERS'),
  )
  await node.kill9()
  const dead = await runHocket(['status', '--data', node.data])
  assert.equal(dead.code, 1)
  assert.match(dead.stderr, /No Hocket is running.*\n.*npm start.*\n.*NOT_RUNNING/)
})

test('a backup of a running server makes the same instance again', async () => {
  await using folder = await temporaryFolder('backup')
  await using node = await startNode()
  const ada = await node.administrator()
  await ada.call('POST', '/api/users', { name: 'bob', password: 'first password' })
  const file = join(folder.path, 'music.hocket')
  const made = await runHocket(['backup', file, '--data', node.data])
  assert.equal(made.code, 0, made.stderr)
  assert.equal((await stat(file)).mode & 0o777, 0o600, 'it holds secrets')
  assert.deepEqual(await readdir(folder.path), ['music.hocket'])

  const data = join(folder.path, 'restored')
  const restored = await runHocket(['restore', file, '--data', data])
  assert.equal(restored.code, 0, restored.stderr)
  await using again = await startNode({
    data,
    env: { HOCKET_ADMIN_USER: undefined, HOCKET_ADMIN_PASSWORD: undefined },
  })
  const users = await (await signIn(again.baseUrl, administrator)).get('/api/users')
  assert.deepEqual(users.body, (await ada.get('/api/users')).body)
  await signIn(again.baseUrl, { name: 'bob', password: 'first password' })

  assert.match((await runHocket(['restore', file, '--data', node.data])).stderr, /DATA_FOLDER_IN_USE/)
  await again.stop()
  assert.match((await runHocket(['restore', file, '--data', data])).stderr, /DATA_FOLDER_NOT_EMPTY/)
  const nowhere = await runHocket(['backup', join(folder.path, 'none', 'b'), '--data', node.data])
  assert.match(nowhere.stderr, /BACKUP_NOT_WRITTEN/)
})

test('the doctor finds what is wrong, and is content with a sound instance', async () => {
  await using folder = await temporaryFolder('doctor')
  const music = join(folder.path, 'music')
  await mkdir(music)
  await using node = await startNode({ music: [music] })
  const running = await runHocket(['doctor', '--data', node.data])
  assert.match(running.stdout, /✓ FFmpeg .* loads/)
  assert.match(running.stdout, /✓ The music folder .*music/)
  await node.stop()
  const well = await runHocket(['doctor', '--bytes', '--data', node.data])
  assert.match(well.stdout, /✓ The database is sound/)
  assert.match(well.stdout, /✓ All \d+ facts can be read/)

  await rename(music, join(folder.path, 'away'))
  const away = await runHocket(['doctor', '--data', node.data])
  assert.equal(away.code, 1)
  assert.match(away.stdout, /✗ The music folder .* cannot be read\n.*mounted/)

  await writeFile(join(node.data, 'store.db'), 'something else altogether, and not a database')
  const damaged = await runHocket(['doctor', '--data', node.data])
  assert.equal(damaged.code, 1)
  assert.match(damaged.stdout, /✗ The database is damaged/)
})

test('[S4] a command line that is wrong says what is expected', async () => {
  await using folder = await temporaryFolder('wrong')
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['up', '--port', 'music', '--data', folder.path], /--port: expected is a number from 0 to 65535/],
    [['up', '--music', folder.path, '--data', join(folder.path, 'data')], /must lie apart/],
    [['nonsense'], /unknown command 'nonsense'/],
    [['status', '--nonsense'], /unknown option '--nonsense'/],
    [['restore', join(folder.path, 'none'), '--data', join(folder.path, 'data')], /BACKUP_UNREADABLE/],
  ]
  for (const [args, expected] of wrong) {
    const { code, stderr, stdout } = await runHocket(args)
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, expected)
    assert.equal(stdout, '')
  }
  assert.match((await runHocket(['--help'])).stdout, /up .*\n(.*\n)*.*scan .*\n(.*\n)*.*doctor/)
})

test('a cluster is not begun at an address that nobody knows', async () => {
  await using folder = await temporaryFolder('data')
  const address = 'nobody.invalid'
  const said = await runHocket(['cluster', 'init', '--data', folder.path, '--address', address])
  assert.equal(said.code, 1)
  assert.match(said.stderr, /--address: .*nobody\.invalid.*\n.*\n.*SETTING_INVALID/)
  assert.equal((await readdir(folder.path)).includes('node'), false, 'nothing was made of it')
})
