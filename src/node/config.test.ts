import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { isCoded } from '../protocol/errors.ts'
import { type Environment, type Flags, readConfig } from './config.ts'

function refusal(flags: Flags, environment: Environment = {}): string {
  try {
    readConfig(flags, environment)
  } catch (error) {
    if (isCoded(error, 'SETTING_INVALID')) return error.message
    throw error
  }
  assert.fail('the settings were accepted')
}

test('without flags and variables it listens on this machine only, at 4650', () => {
  const config = readConfig({}, {})
  assert.equal(config.port, 4_650)
  assert.equal(config.host, '127.0.0.1')
  assert.deepEqual(config.music, [])
  assert.equal(config.administrator, undefined)
  assert.equal(config.publicUrl, undefined)
  assert.equal(config.audioCacheBytes, 5 * 1_024 ** 3)
})

test('a flag wins over its variable, and an empty variable is none', () => {
  const environment = { HOCKET_PORT: '1', HOCKET_HOST: '', HOCKET_DATA: '/from/variable' }
  const config = readConfig({ port: '2' }, environment)
  assert.equal(config.port, 2)
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.data, '/from/variable')
})

test('music folders become absolute, each once; the variable holds several', () => {
  const config = readConfig({}, { HOCKET_MUSIC: '/music:relative::~/Music:/music' })
  assert.deepEqual(config.music, ['/music', resolve('relative'), join(homedir(), 'Music')])
  assert.deepEqual(readConfig({ music: ['/a:b'] }, { HOCKET_MUSIC: '/c' }).music, ['/a:b'])
})

test('the data folder is where the system keeps such things for the person', () => {
  const { data } = readConfig({}, {})
  assert.ok(data.startsWith(homedir()) && /hocket$/i.test(data), data)
  const expected = process.platform === 'linux' ? '/elsewhere/hocket' : data
  assert.equal(readConfig({}, { XDG_DATA_HOME: '/elsewhere' }).data, expected)
  assert.equal(readConfig({}, { XDG_DATA_HOME: 'relative' }).data, data)
})

test('[S4] a bad value names its flag or variable and what is expected', () => {
  assert.match(refusal({ port: 'abc' }), /--port: expected is a number from 0 to 65535/)
  assert.match(refusal({ port: '65536' }), /--port/)
  assert.match(refusal({ port: '-1' }), /--port/)
  assert.match(refusal({}, { HOCKET_PORT: '1e3' }), /HOCKET_PORT/)
  assert.match(refusal({ host: 'not a host' }), /--host/)
  assert.match(refusal({ data: '' }), /--data/)
  assert.match(refusal({ logLevel: 'loud' }), /--log-level: expected is fatal, error/)
  assert.match(
    refusal({}, { HOCKET_AUDIO_CACHE: 'much' }),
    /HOCKET_AUDIO_CACHE: expected is a number of bytes/,
  )
  assert.match(refusal({}, { HOCKET_PUBLIC_URL: 'music.example.org' }), /HOCKET_PUBLIC_URL/)
  assert.match(refusal({}, { HOCKET_TRUSTED_PROXIES: '10.0.0.0/8, proxy' }), /HOCKET_TRUSTED_PROXIES/)
})

test('an administrator needs a name and a password, and the password is never repeated', () => {
  const both = { HOCKET_ADMIN_USER: 'ada', HOCKET_ADMIN_PASSWORD: 'correct horse' }
  assert.deepEqual(readConfig({}, both).administrator, { name: 'ada', password: 'correct horse' })
  assert.match(refusal({}, { HOCKET_ADMIN_USER: 'ada' }), /HOCKET_ADMIN_PASSWORD is not/)
  assert.match(refusal({}, { HOCKET_ADMIN_PASSWORD: 'correct horse' }), /HOCKET_ADMIN_USER is not/)
  assert.doesNotMatch(refusal({}, { ...both, HOCKET_ADMIN_PASSWORD: 'short' }), /short/)
})

test('[B4] a music folder cannot hold the data folder', () => {
  assert.match(refusal({ data: '/music/data', music: ['/music'] }), /--music: \/music holds the data folder/)
  assert.match(refusal({ data: '/music', music: ['/music'] }), /must lie apart/)
  assert.deepEqual(readConfig({ data: '/music-data', music: ['/music'] }, {}).music, ['/music'])
})

test('an etcd of others is named with its scheme, and what speaks TLS to it is given as a whole', () => {
  const { store } = readConfig({ store: 'etcds://a:2379,[::1]:2379' }, {})
  assert.deepEqual(store, ['etcds://a:2379', 'etcds://[::1]:2379'])
  assert.deepEqual(readConfig({ store: 'etcd://a' }, {}).store, ['etcd://a'])
  assert.match(refusal({ store: 'https://a' }), /--store: expected is etcds:/)
  assert.match(refusal({}, { HOCKET_STORE_KEY: '/key.pem' }), /HOCKET_STORE_CERTIFICATE: .* together/)
  assert.match(refusal({}, { HOCKET_STORE_CERTIFICATE: '/c.pem' }), /HOCKET_STORE_KEY: .* together/)
  assert.match(refusal({ store: 'etcd://a' }, { HOCKET_STORE_CA: '/ca.pem' }), /--store: .*etcds:/)
})

test('roles are all of them unless some are named, each once and in their own order', () => {
  const all = ['gateway', 'accounts', 'catalog', 'media', 'operator']
  assert.deepEqual(readConfig({}, {}).roles, all)
  assert.deepEqual(readConfig({ roles: ' media, gateway,media' }, { HOCKET_ROLES: 'operator' }).roles, [
    'gateway',
    'media',
  ])
  for (const bad of ['', 'disk', 'media;gateway'])
    assert.match(refusal({ roles: bad }), /--roles: expected is some of gateway, accounts/)
  assert.match(refusal({ roles: 'media', music: ['/music'] }), /--music: .* needs the role catalog/)
})

test('sizes are read as people write them', () => {
  const size = (text: string) => readConfig({}, { HOCKET_AUDIO_CACHE: text }).audioCacheBytes
  assert.equal(size('0'), 0)
  assert.equal(size('500M'), 500 * 1_024 ** 2)
  assert.equal(size('1.5 GiB'), 1.5 * 1_024 ** 3)
  assert.equal(size('2tb'), 2 * 1_024 ** 4)
})
