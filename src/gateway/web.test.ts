import assert from 'node:assert/strict'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/folder.ts'
import { openTestGateway, type TestGateway } from './testing/gateway.ts'

const script = 'console.log("hello")\n'.repeat(100)
const page = '<!doctype html><title>Hocket</title><script type="module" src="/assets/app-abc123.js"></script>'

let folder: TemporaryFolder
let edge: TestGateway
before(async () => {
  folder = await temporaryFolder('web')
  edge = await openTestGateway({ webFolder: join(folder.path, 'web') }, { setUp: false })
})
after(async () => {
  await edge[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function build(): Promise<void> {
  const web = join(folder.path, 'web')
  await mkdir(join(web, 'assets'), { recursive: true })
  await writeFile(join(folder.path, 'secret.txt'), 'secret')
  await writeFile(join(web, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(join(web, 'assets', 'app-abc123.js'), script)
  await writeFile(join(web, 'assets', 'app-abc123.js.br'), brotliCompressSync(script))
  await writeFile(join(web, 'assets', 'app-abc123.js.gz'), gzipSync(script))
  await symlink(join(folder.path, 'secret.txt'), join(web, 'link.txt'))
  await writeFile(join(web, 'index.html'), page)
  await writeFile(join(web, 'share.html'), '<!doctype html><title>A share</title>')
}

const get = (path: string, headers: Record<string, string> = {}) => fetch(edge.url + path, { headers })

test('a player that has not been built says so, until it is built', async () => {
  const unbuilt = await get('/', { accept: 'text/html' })
  assert.equal(unbuilt.status, 503)
  assert.match(await unbuilt.text(), /npm start/)
  assert.equal((await get('/app.js')).status, 503)
  await build()
  assert.equal(await (await get('/', { accept: 'text/html' })).text(), page)
})

test('pages are asked for again each time, run nothing inline and nothing of others', async () => {
  const response = await get('/albums/5f0c')
  assert.equal(await response.text(), page)
  assert.equal(response.headers.get('cache-control'), 'no-cache')
  const policy = response.headers.get('content-security-policy') ?? ''
  assert.match(policy, /script-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  const again = await get('/', { 'if-none-match': response.headers.get('etag') ?? '' })
  assert.equal(again.status, 304)
})

test('hashed files are kept for ever, in the encoding that the browser takes', async () => {
  const plain = await get('/assets/app-abc123.js', { 'accept-encoding': 'identity' })
  assert.equal(await plain.text(), script)
  assert.equal(plain.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(plain.headers.get('content-type'), 'text/javascript; charset=utf-8')
  const encodings = {
    br: 'br',
    'gzip, deflate': 'gzip',
    'br;q=0, gzip': 'gzip',
    'br;q=0.0': null,
    'gzip, br': 'br',
  }
  for (const [accepted, encoding] of Object.entries(encodings)) {
    const response = await get('/assets/app-abc123.js', { 'accept-encoding': accepted })
    assert.equal(response.headers.get('content-encoding'), encoding, accepted)
    assert.equal(response.headers.get('vary'), 'accept-encoding')
    assert.equal(await response.text(), script, accepted)
  }
})

test('no path leads out of the folder, and a file that is missing is no page', async () => {
  const paths = [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/assets/....//secret.txt',
    '//secret.txt',
    '/link.txt',
    '/index.html%00.txt',
    '/assets/missing-1.js',
    '/assets',
  ]
  const { port } = new URL(edge.url)
  for (const path of paths) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    const answer = await text(socket)
    assert.doesNotMatch(answer, /\r\n\r\nsecret/, path)
    assert.match(answer, path === '/assets' ? /^HTTP\/1\.1 200/ : /^HTTP\/1\.1 40[04]/, path)
  }
})

test('a player that is built again while the server runs is served anew', async () => {
  assert.equal((await get('/favicon.svg')).status, 200)
  await rm(join(folder.path, 'web', 'favicon.svg'))
  await writeFile(join(folder.path, 'web', 'icon.svg'), '<svg/>')
  assert.equal((await get('/favicon.svg')).status, 404)
  assert.equal((await get('/icon.svg')).status, 200)

  // The page first, then the scripts that it names, then what is made smaller of them: as the build writes them.
  const next = page.replace('abc123', 'def456')
  const { path } = folder
  const before = (await get('/')).headers.get('etag') ?? ''
  await writeFile(join(path, 'web', 'index.html'), next)
  assert.equal(await (await get('/', { 'if-none-match': before })).text(), next)
  await rm(join(path, 'web', 'assets', 'app-abc123.js'))
  await writeFile(join(path, 'web', 'assets', 'app-def456.js'), script)
  assert.equal(await (await get('/assets/app-def456.js')).text(), script)
  assert.equal((await get('/assets/app-abc123.js')).status, 404)
  await writeFile(join(path, 'web', 'assets', 'app-def456.js.br'), brotliCompressSync(script))
  const small = await get('/assets/app-def456.js', { 'accept-encoding': 'br' })
  assert.equal(small.headers.get('content-encoding'), 'br')
  assert.equal(await small.text(), script)
})

test('[S3] the page of a share is another than the player, stays out of search engines, and may do less', async () => {
  const shared = await get('/share/0123456789abcdef0123456789abcdef', { accept: 'text/html' })
  assert.match(await shared.text(), /A share/)
  assert.equal(shared.headers.get('x-robots-tag'), 'noindex, nofollow')
  const policy = shared.headers.get('content-security-policy') ?? ''
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; /)
  assert.match(policy, /form-action 'none'; base-uri 'none'; frame-ancestors 'none'$/)
  assert.match(await (await get('/shares')).text(), /Hocket/)
})
