import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isLocalToken, newLocalToken, publishLocal, readLocal } from './local.ts'
import { lockDataFolder } from './lock.ts'

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hocket-lock-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('the data folder is made for its owner alone, and is free again afterwards', async () => {
  await using folder = await temporaryFolder()
  const data = join(folder.path, 'not', 'there', 'yet')
  {
    using _lock = await lockDataFolder(data)
    assert.equal((await stat(data)).mode & 0o777, 0o700)
    await assert.rejects(lockDataFolder(data), { code: 'DATA_FOLDER_IN_USE' })
  }
  using _again = await lockDataFolder(data)
})

test('[S4] a second process is told which one holds the data folder; the lock dies with its holder', async () => {
  await using folder = await temporaryFolder()
  const script = `
    const { lockDataFolder } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)})
    const { publishLocal } = await import(${JSON.stringify(new URL('./local.ts', import.meta.url).href)})
    const lock = await lockDataFolder(${JSON.stringify(folder.path)})
    await publishLocal(${JSON.stringify(folder.path)}, { address: 'http://127.0.0.1:4650', token: '${newLocalToken()}' })
    setInterval(() => lock, 1_000)
    console.log('held')`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  using _end = { [Symbol.dispose]: () => holder.kill('SIGKILL') }
  await once(holder.stdout, 'data')
  await assert.rejects(lockDataFolder(folder.path), {
    code: 'DATA_FOLDER_IN_USE',
    detail: `${folder.path}, by process ${holder.pid} at http://127.0.0.1:4650`,
  })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  using _lock = await lockDataFolder(folder.path)
  assert.equal(await readLocal(folder.path), null, 'the file of a dead node is not believed')
})

test('[S4] a data folder that cannot be one is refused with a code', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'file')
  await writeFile(file, 'in the way')
  await assert.rejects(lockDataFolder(file), { code: 'DATA_FOLDER_UNUSABLE' })
  await assert.rejects(lockDataFolder(join(file, 'below')), { code: 'DATA_FOLDER_UNUSABLE' })
  await writeFile(join(folder.path, 'lock.db'), 'not a database at all, but some other file of that name')
  await assert.rejects(lockDataFolder(folder.path), { code: 'DATA_FOLDER_UNUSABLE' })
})

test('a node leaves its address and a token for the commands of its owner, and takes them away', async () => {
  await using folder = await temporaryFolder()
  const token = newLocalToken()
  {
    await using _published = await publishLocal(folder.path, { address: 'http://[::1]:4650', token })
    const found = await readLocal(folder.path)
    assert.equal(found?.address, 'http://[::1]:4650')
    assert.equal((await stat(join(folder.path, 'run', 'local.json'))).mode & 0o777, 0o600)
    assert.ok(isLocalToken(token, found?.token ?? ''))
    assert.ok(!isLocalToken(token, newLocalToken()))
  }
  assert.equal(await readLocal(folder.path), null)
})
