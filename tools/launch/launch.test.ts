import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { withLock } from './lock.mjs'
import { carriers, isNewEnough } from './node.mjs'
import { agree } from './packages.mjs'
import { environmentOf, explainNpm } from './run.mjs'

const root = join(import.meta.dirname, '..', '..')

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hocket-launch-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Runs the launcher in `folder`, which holds a copy of it, and answers how it ended. */
async function launch(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(folder, 'tools', 'launch.mjs'), ...args], {
    cwd: folder,
    env: { ...process.env, npm_execpath: '', INIT_CWD: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  return { code: child.exitCode, output }
}

/** A checkout in small: the launcher, no packages to install, and a program to start. */
async function smallCheckout(folder: string, program: string): Promise<void> {
  await cp(join(root, 'tools', 'launch.mjs'), join(folder, 'tools', 'launch.mjs'))
  await cp(join(root, 'tools', 'launch'), join(folder, 'tools', 'launch'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"name":"small","version":"1.0.0","type":"module"}')
  const lock = { name: 'small', version: '1.0.0', lockfileVersion: 3, packages: { '': {} } }
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock))
  await mkdir(join(folder, 'node_modules'))
  await writeFile(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: {} }))
  await mkdir(join(folder, 'src'))
  await writeFile(join(folder, 'src', 'main.ts'), program)
}

test('Node is new enough from 24.7 on', () => {
  assert.deepEqual(['20.19.0', '23.11.1', '24.6.9'].map(isNewEnough), [false, false, false])
  assert.deepEqual(['24.7.0', '24.21.0', '25.0.0', '100.1.0'].map(isNewEnough), [true, true, true, true])
})

test('every Node that npm may bring is new enough and pinned by its integrity', () => {
  for (const [platform, [name, version, integrity]] of Object.entries(carriers)) {
    assert.ok(isNewEnough(version), platform)
    assert.match(name, /^node-/)
    assert.match(integrity, /^sha512-[\w+/]{86}==$/)
  }
})

test('the chosen Node comes first in PATH', () => {
  const { PATH = '' } = environmentOf(join('/somewhere', 'bin', 'node'))
  assert.equal(PATH.split(delimiter)[0], join('/somewhere', 'bin'))
})

test('packages are installed again when the lock file names others, or the folder came from another machine', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' }
  const native = { version: '1.0.0', integrity: 'sha512-n', optional: true, os: ['linux'], cpu: ['x64'] }
  const wanted = { '': {}, 'node_modules/a': a, 'node_modules/native': native }
  const check = (present: Parameters<typeof agree>[1]) => agree(wanted, present, 'linux', 'x64')
  assert.equal(check({ 'node_modules/a': a, 'node_modules/native': native }), true)
  assert.equal(check({ 'node_modules/a': a }), true, 'an optional package may be absent')
  assert.equal(check({ 'node_modules/native': native }), false)
  assert.equal(check({ 'node_modules/a': { ...a, version: '1.0.1' } }), false)
  assert.equal(check({ 'node_modules/a': { ...a, integrity: 'sha512-b' } }), false)
  assert.equal(check({ 'node_modules/a': a, 'node_modules/b': a }), false, 'one too many')
  assert.equal(agree(wanted, { 'node_modules/a': a, 'node_modules/native': native }, 'darwin', 'x64'), false)
  const others = { ...native, os: ['!win32'], cpu: [] }
  assert.equal(
    agree(
      { ...wanted, 'node_modules/native': others },
      { 'node_modules/a': a, 'node_modules/native': others },
      'linux',
      'arm64',
    ),
    true,
  )
})

test('what npm says of the network, the disk and rights is put in plain words', () => {
  const messages = [
    ['npm error code ENOTFOUND\nnpm error network request to https://registry… failed', /cannot be reached/],
    ['npm error code EAI_AGAIN', /cannot be reached/],
    ['npm error nospc ENOSPC: no space left on device, write', /disk is full/],
    ['npm error code EACCES\nnpm error syscall mkdir', /cannot be written to/],
    ['spawn npm ENOENT', /npm is not installed/],
  ] as const
  for (const [output, expected] of messages) assert.match(explainNpm(output)?.message ?? '', expected)
  assert.equal(explainNpm('npm error code E404'), undefined)
})

test('two launchers do not work at once, and the lock of a dead one is taken over', async () => {
  await using folder = await temporaryFolder()
  let inside = 0
  let most = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise(setImmediate)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 5 }, () => withLock(folder.path, work)))
  assert.equal(most, 1)

  const lock = join(folder.path, '.node', 'lock')
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(ended, 'exit')
  await writeFile(lock, `${ended.pid} dead`)
  assert.equal(await withLock(folder.path, () => Promise.resolve('done')), 'done')

  await writeFile(lock, `${process.pid} a holder that no longer touches its lock`)
  const longAgo = new Date(Date.now() - 60_000)
  await utimes(lock, longAgo, longAgo)
  assert.equal(await withLock(folder.path, () => Promise.resolve('done')), 'done')
  assert.deepEqual(await readdir(join(folder.path, '.node')), [])
})

test('arguments, exit code and signals pass through the launcher', async () => {
  await using folder = await temporaryFolder()
  await smallCheckout(
    folder.path,
    `const [first] = process.argv.slice(2)
    if (first === 'wait') {
      process.on('SIGTERM', () => process.exit(43))
      setInterval(() => {}, 1_000)
      process.kill(process.ppid, 'SIGTERM')
    } else {
      console.log(JSON.stringify(process.argv.slice(2)))
      process.exitCode = 42
    }`,
  )
  const { code, output } = await launch(folder.path, ['hocket', 'a b', '--c', ''])
  assert.equal(code, 42, output)
  assert.equal(output, '["a b","--c",""]\n', 'nothing else is said when there is nothing to do')
  assert.equal((await launch(folder.path, ['hocket', 'wait'])).code, 43)
  assert.match((await launch(folder.path, ['nonsense'])).output, /no task "nonsense"/)
})

test('what npm started ends when npm is ended, though the signal reaches npm and its shell alone', async () => {
  await using folder = await temporaryFolder()
  await smallCheckout(
    folder.path,
    `process.on('SIGTERM', () => { console.log('told to end'); process.exit() })
     console.log('up')
     setInterval(() => {}, 1_000)`,
  )
  // As npm does it: a shell that waits for us, and passes nothing on.
  const shell = spawn('sh', ['-c', '"$0" "$1" hocket stay; true', process.execPath, 'tools/launch.mjs'], {
    cwd: folder.path,
    env: { ...process.env, npm_lifecycle_event: 'start', INIT_CWD: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const text of shell.stdout.setEncoding('utf8')) {
    if (!output.includes('up') && text.includes('up')) shell.kill('SIGTERM')
    output += text
  }
  assert.match(output, /told to end/)
})

test('without npm the launcher says what is missing', async () => {
  await using folder = await temporaryFolder()
  await smallCheckout(folder.path, '')
  await rm(join(folder.path, 'node_modules'), { recursive: true })
  const { code, output } = await launch(folder.path, ['hocket'], { PATH: folder.path })
  assert.equal(code, 1)
  assert.match(output, /npm is not installed, or not in PATH/)
})

test('an installation that is cut off is begun again, and a whole one is left alone', async () => {
  await using folder = await temporaryFolder()
  await smallCheckout(folder.path, '')
  const list = join(folder.path, 'node_modules', '.package-lock.json')
  await writeFile(list, JSON.stringify({ packages: { 'node_modules/old': { version: '1.0.0' } } }))
  // An npm that is killed in the middle of its work.
  const npm = join(folder.path, 'npm')
  await writeFile(npm, '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 })
  const PATH = `${folder.path}${delimiter}${process.env.PATH ?? ''}`
  const cut = await launch(folder.path, ['hocket'], { PATH })
  assert.equal(cut.code, 1)
  assert.match(cut.output, /ended by SIGKILL/)
  await assert.rejects(stat(list), { code: 'ENOENT' }, 'nothing says that the packages are there')

  await writeFile(npm, `#!/bin/sh\necho '{"packages":{}}' > ${list}\necho x >> ${folder.path}/runs\n`, {
    mode: 0o755,
  })
  assert.equal((await launch(folder.path, ['hocket'], { PATH })).code, 0)
  assert.equal((await launch(folder.path, ['hocket'], { PATH })).code, 0)
  assert.equal(await readFile(join(folder.path, 'runs'), 'utf8'), 'x\n')
})
