import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectAddress, connectionAt, isLoopback } from './connection.ts'

test('what a QR code carries is read back, whatever the name', () => {
  const connection = { server: 'https://music.example:4650', user: 'Ñandú & söhne #1', secret: 'abc+/=' }
  const { origin, hash, pathname, search } = new URL(connectAddress(connection))
  assert.equal(pathname, '/connect')
  assert.equal(search, '', 'nothing of it is sent to a server')
  assert.deepEqual(connectionAt({ origin, hash }), connection)
})

test('a connection that is not whole is none', () => {
  for (const hash of ['', '#', '#user=ada', '#secret=x', '#user=&secret=x'])
    assert.equal(connectionAt({ origin: 'http://a', hash }), undefined)
})

test('an address of the device itself is told from one that others can reach', () => {
  for (const server of ['http://localhost:4650', 'http://127.0.0.1:4650', 'http://[::1]:4650'])
    assert.equal(isLoopback(server), true, server)
  for (const server of ['http://192.168.1.5:4650', 'https://localhost.example', 'http://nas.local'])
    assert.equal(isLoopback(server), false, server)
})
