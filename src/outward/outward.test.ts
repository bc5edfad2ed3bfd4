import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { listen } from '../../test/harness/listen.ts'
import { mayCall } from './addresses.ts'
import type { Resolve } from './connect.ts'
import { createSend, sendOutward } from './outward.ts'

let url = ''
const server = createServer((request, response) => {
  if (request.url === '/away') response.writeHead(302, { location: '/secret' }).end()
  else if (request.url === '/endless') {
    const piece = Buffer.alloc(65_536, 'x')
    const more = () => {
      while (response.write(piece));
    }
    response.on('drain', more)
    more()
  } else response.end(`you asked for ${request.url}`)
})
before(async () => {
  url = `http://127.0.0.1:${await listen(server)}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const signal = () => AbortSignal.timeout(10_000)
const get = (to: string, mayInside: boolean) => ({ url: to, method: 'GET', headers: {}, mayInside }) as const

test('addresses inside are for administrators, link-local and reserved ones for nobody', () => {
  const inside = ['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', '::1']
  inside.push(
    'fd00::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:101',
    '0:0:0:0:0:ffff:7f00:1',
  )
  for (const address of inside)
    assert.deepEqual([mayCall(address, false), mayCall(address, true)], [false, true], address)
  const never = [
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'fe80::1%eth0',
  ]
  never.push(
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::ffff:169.254.169.254',
    '::127.0.0.1',
    'localhost',
    '',
  )
  for (const address of never)
    assert.deepEqual([mayCall(address, false), mayCall(address, true)], [false, false], address)
  for (const address of ['1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1']) {
    assert.ok(mayCall(address, false), address)
  }
})

test('who is no administrator reaches nothing inside, however the address is written', async () => {
  const { port } = new URL(url)
  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '017700000001',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
    'LOCALHOST',
  ]
  for (const host of hosts) {
    await assert.rejects(
      sendOutward(get(`https://${host}:${port}/`, false), signal()),
      { code: 'ADDRESS_FORBIDDEN' },
      host,
    )
  }
  await assert.rejects(sendOutward(get('http://example.com/', false), signal()), {
    code: 'ADDRESS_FORBIDDEN',
  })
  await assert.rejects(sendOutward(get('https://me:secret@example.com/', true), signal()), {
    code: 'ADDRESS_FORBIDDEN',
  })
  await assert.rejects(sendOutward(get('http://169.254.169.254/', true), signal()), {
    code: 'ADDRESS_FORBIDDEN',
  })
  assert.equal((await sendOutward(get(`${url}/hello`, true), signal())).text, 'you asked for /hello')
})

test('a name is checked by the very addresses that are called, so changing them in between gains nothing', async () => {
  const { port } = new URL(url)
  let asked = 0
  const rebinding: Resolve = (_name, _options, callback) => {
    asked += 1
    callback(null, [{ address: asked === 1 ? '127.0.0.1' : '1.1.1.1', family: 4 }])
  }
  await assert.rejects(createSend(rebinding)(get(`https://music.example.com:${port}/`, false), signal()), {
    code: 'ADDRESS_FORBIDDEN',
  })
  assert.equal(asked, 1)
  asked = 0
  const answer = await createSend(rebinding)(get(`http://music.example.com:${port}/`, true), signal())
  assert.equal(answer.status, 200)
  assert.equal(asked, 1, 'it is not looked up a second time')
  const mixed: Resolve = (_name, _options, callback) =>
    callback(null, [
      { address: '169.254.169.254', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  assert.equal(
    (await createSend(mixed)(get(`http://mixed.example.com:${port}/`, true), signal())).status,
    200,
  )
})

test('a redirect is an answer, and an answer without end is cut', async () => {
  const moved = await sendOutward(get(`${url}/away`, true), signal())
  assert.deepEqual([moved.status, moved.header('location'), moved.text], [302, '/secret', ''])
  assert.equal((await sendOutward(get(`${url}/endless`, true), signal())).text.length, 262_144)
})

test('what cannot be reached says why in words', async () => {
  await assert.rejects(sendOutward(get('http://127.0.0.1:1/', true), signal()), {
    code: 'SERVICE_UNAVAILABLE',
    detail: 'nothing listens there',
  })
})
