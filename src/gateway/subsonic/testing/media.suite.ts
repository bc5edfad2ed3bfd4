import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { envelope, searchOf } from './client.ts'
import { ids, world } from './shared.ts'

const song = (title: string) => ids.song.find((each) => each.title.startsWith(title))?.id ?? ''
const run = promisify(execFile)
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

test('a song comes as it is stored, whole or in ranges, and is saved under its title', async () => {
  const whole = await world.guest.fetch('stream', { id: song('Two') })
  assert.equal(whole.status, 200)
  assert.equal(whole.headers.get('content-type'), 'audio/mpeg')
  assert.equal(whole.headers.get('access-control-allow-origin'), '*')
  const bytes = await bytesOf(whole)
  assert.equal(whole.headers.get('content-length'), String(bytes.length))
  const part = await world.guest.fetch('stream', { id: song('Two') }, { headers: { range: 'bytes=10-19' } })
  assert.equal(part.status, 206)
  assert.deepEqual(await bytesOf(part), bytes.subarray(10, 20))
  const saved = await world.guest.fetch('download', { id: song('Two') })
  assert.match(saved.headers.get('content-disposition') ?? '', /filename="Two\.mp3"/)
  assert.deepEqual(await bytesOf(saved), bytes)
  const head = await world.guest.fetch('stream', { id: song('Two') }, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), String(bytes.length))
})

test('a song comes in another format, from a time on, without a length unless it is estimated', async () => {
  const types = { mp3: 'audio/mpeg', opus: 'audio/ogg', aac: 'audio/aac', nonsense: 'audio/mpeg' } as const
  for (const [format, type] of Object.entries(types)) {
    const response = await world.guest.fetch('stream', {
      id: song('Three'),
      format,
      maxBitRate: 64,
      timeOffset: '0.75',
    })
    assert.equal(response.headers.get('content-type'), type, format)
    assert.ok((await bytesOf(response)).length > 1_000, format)
  }
  const query = { id: song('Two'), maxBitRate: 32, format: 'mp3' }
  const later = await world.guest.fetch('stream', { ...query, timeOffset: 6 })
  assert.equal(later.headers.get('content-length'), null)
  const half = await bytesOf(later)
  const estimated = await world.guest.fetch('stream', {
    ...query,
    timeOffset: 3,
    estimateContentLength: true,
  })
  const length = Number(estimated.headers.get('content-length'))
  const longer = await bytesOf(estimated)
  assert.equal(longer.length, length)
  assert.ok(half.length < longer.length, 'the later, the less')
  const raw = await world.guest.fetch('stream', { ...query, format: 'raw' })
  assert.equal(raw.headers.get('accept-ranges'), 'bytes')
  await raw.body?.cancel()
})

test('everything has a cover, also where there is none', async () => {
  const made = await world.guest.ask('createPlaylist', {
    name: 'Pictured',
    songId: [song('One'), song('Two')],
  })
  const playlist = /"id":"([^"]+)"/.exec(JSON.stringify(made['playlist']))?.[1] ?? ''
  for (const id of [
    song('One'),
    ids.album[0]?.id ?? '',
    ids.artist[0]?.id ?? '',
    playlist,
    `pl-${playlist}`,
  ]) {
    const response = await world.guest.fetch('getCoverArt', { id, size: 64 })
    assert.match(response.headers.get('content-type') ?? '', /^image\//)
    assert.ok((await bytesOf(response)).length > 100)
  }
  const ofSize = async (size: number) =>
    bytesOf(await world.guest.fetch('getCoverArt', { id: ids.album[0]?.id ?? '', size }))
  assert.deepEqual(await ofSize(0), await ofSize(5_000), 'as large as it is')
  const avatar = await world.guest.fetch('getAvatar', { username: 'ada' })
  assert.match(avatar.headers.get('content-type') ?? '', /^image\//)
  await avatar.body?.cancel()
})

test('the addresses of pictures open as they are, and hold no secret', async () => {
  const shape = z.looseObject({ smallImageUrl: z.url(), mediumImageUrl: z.url(), largeImageUrl: z.url() })
  const artist = await world.guest.both('getArtistInfo2', { id: ids.artist[0]?.id ?? '' })
  const album = await world.guest.both('getAlbumInfo', { id: song('One') })
  for (const info of [artist['artistInfo2'], album['albumInfo']]) {
    const { smallImageUrl, largeImageUrl } = shape.parse(info)
    assert.doesNotMatch(smallImageUrl, new RegExp(world.guest.secret))
    const [small, large] = await Promise.all([smallImageUrl, largeImageUrl].map((url) => fetch(url)))
    assert.match(small?.headers.get('content-type') ?? '', /^image\//)
    const lengths = [small, large].map((picture) => Number(picture?.headers.get('content-length')))
    assert.ok((lengths[0] ?? 0) < (lengths[1] ?? 0), String(lengths))
    for (const picture of [small, large]) await picture?.body?.cancel()
  }
  const { name: u, secret } = world.guest
  const salt = 'abcdef'
  const t = createHash('md5').update(`${secret}${salt}`).digest('hex')
  for (const proof of [
    { u, t, s: salt },
    { apiKey: secret },
    { u, p: `enc:${Buffer.from(secret).toString('hex')}` },
  ]) {
    const query = searchOf({ ...proof, v: '1.16.1', c: 'x', id: ids.artist[0]?.id ?? '', f: 'json' })
    const text = await (await fetch(`${world.edge.url}/rest/getArtistInfo?${query}`)).text()
    const [address = ''] = /http[^"]*size=128/.exec(text) ?? []
    const picture = await fetch(address)
    assert.match(picture.headers.get('content-type') ?? '', /^image\//, address)
    await picture.body?.cancel()
  }
})

test('a live streaming playlist leads to the song', async () => {
  const response = await world.guest.fetch('hls.m3u8', { id: song('Two'), bitRate: 64 })
  assert.equal(response.headers.get('content-type'), 'application/vnd.apple.mpegurl')
  const text = await response.text()
  assert.doesNotMatch(text, new RegExp(world.guest.secret))
  assert.match(text, /^#EXTM3U\n.*#EXTINF:12\.\d+,\n.*#EXT-X-ENDLIST\n$/s)
  const address = text.split('\n').find((line) => line.startsWith('stream.aac?')) ?? ''
  const segment = await fetch(new URL(address, response.url))
  assert.equal(segment.headers.get('content-type'), 'audio/aac')
  assert.ok((await bytesOf(segment)).length > 10_000)
  const viewed = await world.guest.fetch('hls.view', { id: song('Two'), bitRate: 64 })
  assert.equal(await viewed.text(), text)
  const several = await world.guest.fetch('hls.m3u8', { id: song('Two'), bitRate: [64, 128] })
  assert.equal((await several.text()).match(/#EXT-X-STREAM-INF/g)?.length, 2)
  // A player that is strict about names plays both to their end.
  for (const { url } of [response, several]) {
    const { stderr } = await run('ffmpeg', ['-nostdin', '-i', url, '-f', 'null', '-'])
    const [, seconds] = /.*time=00:00:(\d+)\./s.exec(stderr) ?? []
    assert.equal(seconds, '12', stderr)
  }
})

test('lyrics come with their times, and as plain text', async () => {
  const answer = await world.guest.both('getLyricsBySongId', { id: song('Two') })
  assert.match(
    JSON.stringify(answer['lyricsList']),
    /"synced":true,"line":\[\{"start":500,"value":"ña la"\},\{"start":1000,"value":"la"\}\]\}\]/,
  )
  const enhanced = await world.guest.both('getLyricsBySongId', { id: song('Two'), enhanced: true })
  assert.match(
    JSON.stringify(enhanced['lyricsList']),
    /"kind":"main","line":\[.*\],"cueLine":\[\{"index":0,"start":500,"value":"ña la","cue":\[\{"start":500,"byteStart":0,"byteEnd":2,"value":"ña"\},\{"start":750,"byteStart":4,"byteEnd":5,"value":"la"\}\]\}\]/,
  )
  const plain = await world.guest.both('getLyrics', { title: 'two', artist: 'The Ana & "Bob" <Band>' })
  assert.match(JSON.stringify(plain['lyrics']), /"value":"ña la\\nla"/)
  const ofOne = await world.guest.both('getLyrics', { title: 'ONE & only', artist: 'bob' })
  assert.match(JSON.stringify(ofOne['lyrics']), /"value":"uno"/)
})

test('a client that says what it plays is told what it gets, and gets that', async () => {
  const decide = async (info: unknown, f = 'json') => {
    const query = { mediaId: song('One'), mediaType: 'song', f }
    const headers = { 'content-type': 'application/json' }
    const response = await world.guest.fetch('getTranscodeDecision', query, {
      method: 'POST',
      headers,
      body: JSON.stringify(info),
    })
    return f === 'json' ? envelope.parse(await response.json())['subsonic-response'] : await response.text()
  }
  const shape = z.looseObject({
    canDirectPlay: z.boolean(),
    canTranscode: z.boolean(),
    transcodeReason: z.array(z.string()),
    transcodeParams: z.string().optional(),
    transcodeStream: z.looseObject({ audioBitrate: z.int(), codec: z.string() }).optional(),
  })
  const decision = async (info: unknown) => {
    const answer = await decide(info)
    assert.ok(typeof answer === 'object')
    return shape.parse(answer['transcodeDecision'])
  }
  const flac = { containers: ['flac'], audioCodecs: ['flac'], protocols: ['http'] }
  const mp3 = { containers: ['mp3'], audioCodecs: ['mp3'], protocols: [] }
  const toOpus = { container: 'ogg', audioCodec: 'opus', protocol: 'http', maxAudioChannels: 2 }
  assert.equal((await decision({ directPlayProfiles: [flac] })).canDirectPlay, true)
  const limits = [{ name: 'audioSamplerate', comparison: 'LessThanEqual', values: ['16000'], required: true }]
  const limited = {
    directPlayProfiles: [flac],
    codecProfiles: [{ type: 'AudioCodec', name: 'flac', limitations: limits }],
  }
  assert.deepEqual((await decision(limited)).transcodeReason, ['AudioSampleRateNotSupported'])
  const other = await decision({
    directPlayProfiles: [mp3],
    transcodingProfiles: [toOpus],
    maxTranscodingAudioBitrate: 64_000,
  })
  assert.deepEqual(
    [other.canDirectPlay, other.canTranscode, other.transcodeStream?.audioBitrate],
    [false, true, 64_000],
  )
  const query = { mediaId: song('One'), mediaType: 'song', transcodeParams: other.transcodeParams ?? '' }
  const response = await world.guest.fetch('getTranscodeStream', query)
  assert.equal(response.headers.get('content-type'), 'audio/ogg')
  assert.ok((await bytesOf(response)).length > 1_000)
  assert.match(String(await decide({ directPlayProfiles: [flac] }, 'xml')), /canDirectPlay="true"/)
  // Other names of containers and codecs, and what is left out said as null.
  const named = { containers: ['M4A', 'FLAC'], audioCodecs: ['pcm_s16le', 'FLAC'], protocols: null }
  const direct = { directPlayProfiles: [named], transcodingProfiles: null, maxAudioBitrate: null }
  assert.equal((await decision(direct)).canDirectPlay, true)
  const least = [{ name: 'audioBitrate', comparison: 'LessThanEqual', values: ['96000'], required: true }]
  const slow = await decision({
    transcodingProfiles: [{ ...toOpus, container: 'opus', protocol: null }],
    codecProfiles: [{ type: 'AudioCodec', name: 'opus', limitations: least }],
    maxTranscodingAudioBitrate: 320_000,
  })
  assert.equal(slow.transcodeStream?.audioBitrate, 96_000)
  const most = await decision({
    transcodingProfiles: [{ ...toOpus, container: 'mp3', audioCodec: 'mp3' }],
    maxTranscodingAudioBitrate: 320_000,
  })
  assert.equal(most.transcodeStream?.audioBitrate, 320_000)
  assert.match(JSON.stringify(await decide({ directPlayProfiles: 'all' })), /"code":10/)
  assert.equal(await world.guest.refused('getTranscodeStream', { ...query, transcodeParams: 'rm -rf' }), 10)
})
