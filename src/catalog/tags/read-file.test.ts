import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Encoding } from '../../../test/fixtures/audio.ts'
import {
  id3v1,
  id3v2,
  lyricsFrame,
  pictureFrame,
  textFrame,
  timedLyricsFrame,
  uniqueFileFrame,
  userTextFrame,
} from '../../../test/fixtures/id3.ts'
import { type MusicFolder, makeMusicFolder } from '../../../test/fixtures/make.ts'
import { numberPair, retagMp4 } from '../../../test/fixtures/mp4.ts'
import { apeTag, dsf, monkeysAudio, musepack } from '../../../test/fixtures/rare.ts'
import { retagFlac, retagOgg } from '../../../test/fixtures/vorbis.ts'
import { reading } from './messages.ts'
import { createFileReader } from './read-file.ts'

// The parser runs in this process here, on files that the test made; the product runs it in a child (law S1).
const reader = createFileReader()
let folder: MusicFolder
before(async () => {
  folder = await makeMusicFolder()
})
after(async () => await folder[Symbol.asyncDispose]())

const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex')

/** Reads a file of these bytes; whatever it is, the answer must fit the schema of what the child may say. */
async function read(name: string, bytes: Uint8Array) {
  const path = await folder.write(name, bytes)
  return reading.parse(reader.readTags(path))
}
async function tagsOf(name: string, bytes: Uint8Array) {
  const found = await read(name, bytes)
  assert.ok(found.ok, JSON.stringify(found))
  return found.tags
}
async function faultOf(name: string, bytes: Uint8Array) {
  const found = await read(name, bytes)
  return found.ok ? found.faults.map(({ code }) => code).join() : `no track: ${found.fault.code}`
}

test('an MP3 says all that ID3v2 can say', async () => {
  const frames = [
    textFrame('TIT2', 'Tïtle'),
    textFrame('TPE1', ['A One', 'B Two']),
    textFrame('TPE2', 'Both'),
    textFrame('TALB', 'Album'),
    textFrame('TSOP', ['One, A', 'Two, B']),
    textFrame('TRCK', '3/12'),
    textFrame('TPOS', '1/2'),
    textFrame('TSST', 'Side of light'),
    textFrame('TDRC', '2001-02-03'),
    textFrame('TDOR', '1999'),
    textFrame('TCON', ['Rock', '17', '(20)', 'Trip Hop; Dub']),
    textFrame('TMOO', 'Happy'),
    textFrame('TCOM', ['C1', 'C2']),
    textFrame('TPE3', 'The Conductor'),
    textFrame('TPUB', 'The Label'),
    textFrame('TCMP', '1'),
    textFrame('TBPM', '120'),
    textFrame('TSRC', 'USABC1234567'),
    textFrame('TMCL', ['guitar', 'G Player']),
    textFrame('TIPL', ['producer', 'P Producer']),
    userTextFrame('MusicBrainz Artist Id', ['id-one', 'id-two']),
    userTextFrame('MusicBrainz Album Id', 'release'),
    userTextFrame('MusicBrainz Album Type', ['album', 'live']),
    uniqueFileFrame('http://musicbrainz.org', 'recording'),
    userTextFrame('REPLAYGAIN_TRACK_GAIN', '-3.25 dB'),
    userTextFrame('REPLAYGAIN_ALBUM_PEAK', '0.98'),
    userTextFrame('ITUNESADVISORY', '1'),
    textFrame('MVNM', 'Allegro'),
    textFrame('MVIN', '2/4'),
    textFrame('GRP1', 'Evening'),
    pictureFrame('image/jpeg', jpeg),
  ]
  const tags = await tagsOf('full.mp3', Buffer.concat([id3v2(frames), await folder.sound('mp3')]))
  assert.equal(tags.title, 'Tïtle')
  assert.deepEqual(tags.artists, [
    { name: 'A One', sortName: 'One, A', musicBrainzId: 'id-one' },
    { name: 'B Two', sortName: 'Two, B', musicBrainzId: 'id-two' },
  ])
  assert.deepEqual(tags.albumArtists, [{ name: 'Both' }])
  assert.deepEqual([tags.track, tags.trackTotal, tags.disc, tags.discTotal], [3, 12, 1, 2])
  assert.equal(tags.discTitle, 'Side of light')
  assert.deepEqual([tags.date, tags.originalDate], ['2001-02-03', '1999'])
  assert.deepEqual(tags.genres, ['Rock', 'Alternative', 'Trip Hop', 'Dub'])
  assert.deepEqual(tags.moods, ['Happy'])
  assert.deepEqual(tags.composers, [{ name: 'C1' }, { name: 'C2' }])
  assert.deepEqual(tags.contributors, [
    { name: 'The Conductor', role: 'conductor' },
    { name: 'P Producer', role: 'producer' },
    { name: 'G Player', role: 'performer', subRole: 'guitar' },
  ])
  assert.deepEqual(tags.labels, ['The Label'])
  assert.deepEqual(tags.releaseTypes, ['album', 'live'])
  assert.deepEqual(tags.isrcs, ['USABC1234567'])
  assert.deepEqual(tags.movements, [{ name: 'Allegro', number: 2, count: 4 }])
  assert.deepEqual(tags.groupings, ['Evening'])
  assert.deepEqual(tags.musicBrainz, { recording: 'recording', release: 'release' })
  assert.deepEqual(tags.replayGain, { trackGain: -3.25, albumPeak: 0.98 })
  assert.deepEqual(
    [tags.compilation, tags.explicit, tags.bpm, tags.embeddedCover],
    [true, 'explicit', 120, true],
  )
})

test('Vorbis comments say the same in FLAC, Ogg Vorbis and Opus', async () => {
  const fields = {
    TITLE: 'Tïtle',
    ARTIST: 'A feat. B',
    ALBUMARTIST: ['C', 'D'],
    ALBUM: 'Album',
    TRACKNUMBER: '3',
    TRACKTOTAL: '12',
    DISCNUMBER: '1',
    DISCTOTAL: '2',
    DATE: '2001',
    ORIGINALDATE: '1999-05',
    GENRE: ['Rock', 'Pop'],
    PERFORMER: 'P One (Electric Guitar)',
    LABEL: ['L1', 'L2'],
    MUSICBRAINZ_TRACKID: 'recording',
    MUSICBRAINZ_ALBUMID: 'release',
    R128_TRACK_GAIN: '-512',
    MOVEMENTNAME: 'Adagio',
    MOVEMENT: '3',
    MOVEMENTTOTAL: '4',
    GROUPING: ['Morning', 'Slow; Soft'],
    LYRICS: 'la la',
  }
  const files = {
    'v.flac': retagFlac(await folder.sound('flac'), fields, { mediaType: 'image/jpeg', bytes: jpeg }),
    'v.ogg': retagOgg(await folder.sound('ogg'), fields),
    'v.opus': retagOgg(await folder.sound('opus'), fields),
  }
  for (const [name, bytes] of Object.entries(files)) {
    const tags = await tagsOf(name, bytes)
    assert.equal(tags.title, 'Tïtle')
    assert.deepEqual(tags.artists, [{ name: 'A' }, { name: 'B' }])
    assert.equal(tags.artistDisplay, 'A feat. B')
    assert.deepEqual(tags.albumArtists, [{ name: 'C' }, { name: 'D' }])
    assert.deepEqual([tags.track, tags.trackTotal, tags.disc, tags.discTotal], [3, 12, 1, 2])
    assert.deepEqual(tags.contributors, [{ name: 'P One', role: 'performer', subRole: 'electric guitar' }])
    assert.deepEqual(tags.labels, ['L1', 'L2'])
    assert.deepEqual(tags.musicBrainz, { recording: 'recording', release: 'release' })
    assert.deepEqual(tags.replayGain, { trackGain: 3 })
    assert.deepEqual(tags.movements, [{ name: 'Adagio', number: 3, count: 4 }])
    assert.deepEqual(tags.groupings, ['Morning', 'Slow', 'Soft'])
    assert.equal(tags.embeddedLyrics, true)
    assert.equal(tags.embeddedCover, name === 'v.flac')
  }
})

test('one field may name several, and a name that looks like several is one', async () => {
  const sound = await folder.sound('flac')
  const read = (ARTIST: string, ALBUMARTIST: string, GENRE: string) =>
    tagsOf('several.flac', retagFlac(sound, { TITLE: 'x', ARTIST, ALBUMARTIST, GENRE }))
  const named = (people: readonly { name: string }[]) => people.map(({ name }) => name)
  for (const [artist, albumArtist, genre, ...lines] of [
    ['A;B', 'C; D', 'Rock;Pop', undefined, undefined],
    ['A / B', 'C ft. D', 'Rock/Pop', 'A / B', 'C ft. D'],
  ] as const) {
    const tags = await read(artist, albumArtist, genre)
    assert.deepEqual(
      [named(tags.artists), named(tags.albumArtists), tags.genres],
      [
        ['A', 'B'],
        ['C', 'D'],
        ['Rock', 'Pop'],
      ],
    )
    assert.deepEqual([tags.artistDisplay, tags.albumArtistDisplay], lines)
  }
  const tags = await read('AC/DC', 'Earth, Wind & Fire', 'Drum & Bass')
  assert.deepEqual(
    [named(tags.artists), named(tags.albumArtists), tags.genres],
    [['AC/DC'], ['Earth, Wind & Fire'], ['Drum & Bass']],
  )
})

test('M4A files say the same', async () => {
  const bytes = retagMp4(await folder.sound('m4a'), {
    text: {
      '\xa9nam': 'Tïtle',
      '\xa9ART': ['A', 'B'],
      '\xa9alb': 'Album',
      aART: 'C',
      '\xa9gen': 'Rock',
      soar: 'A, sorted',
    },
    freeForm: { 'com.apple.iTunes:MusicBrainz Track Id': 'recording', 'com.apple.iTunes:LABEL': 'L' },
    raw: {
      trkn: { type: 0, bytes: numberPair(3, 12) },
      cpil: { type: 21, bytes: Buffer.of(1) },
      rtng: { type: 21, bytes: Buffer.of(4) },
      covr: { type: 13, bytes: jpeg },
    },
  })
  const tags = await tagsOf('m.m4a', bytes)
  assert.deepEqual(tags.artists, [{ name: 'A' }, { name: 'B' }])
  assert.deepEqual([tags.track, tags.trackTotal, tags.compilation, tags.embeddedCover], [3, 12, true, true])
  assert.deepEqual(tags.musicBrainz, { recording: 'recording' })
  assert.equal(tags.explicit, 'explicit')
})

test("Monkey's Audio, Musepack and DSF say the same, under whatever name", async () => {
  const fields = {
    Title: 'Tïtle',
    Artist: ['A One', 'B Two'],
    'Album Artist': 'Both',
    Album: 'Album',
    Track: '3',
    Disc: '2',
    Year: '2001-02-03',
    Genre: 'Rock',
    Composer: 'C1',
    REPLAYGAIN_TRACK_GAIN: '-3.25 dB',
    MUSICBRAINZ_ALBUMID: 'release',
  }
  const frames = [
    textFrame('TIT2', 'Tïtle'),
    textFrame('TPE1', ['A One', 'B Two']),
    textFrame('TPE2', 'Both'),
    textFrame('TALB', 'Album'),
    textFrame('TRCK', '3'),
    textFrame('TPOS', '2'),
    textFrame('TDRC', '2001-02-03'),
    textFrame('TCON', 'Rock'),
    textFrame('TCOM', 'C1'),
    userTextFrame('REPLAYGAIN_TRACK_GAIN', '-3.25 dB'),
    userTextFrame('MusicBrainz Album Id', 'release'),
  ]
  const cases = [
    ['ape', Buffer.concat([monkeysAudio(), apeTag(fields)]), ['ape', 'audio/x-ape', 1_000, 44_100, 2, 16]],
    ['mpc', Buffer.concat([musepack(), apeTag(fields)]), ['musepack', 'audio/x-musepack', 300, 44_100, 1]],
    ['dsf', dsf(id3v2(frames)), ['dsd', 'audio/x-dsf', 1_000, 2_822_400, 1, 1]],
  ] as const
  for (const [suffix, bytes, [codec, mediaType, durationMs, sampleRate, channels, bitDepth]] of cases) {
    const found = await read(`rare.${suffix}`, bytes)
    assert.ok(found.ok, `${suffix}: ${JSON.stringify(found)}`)
    const { audio, tags, faults } = found
    assert.deepEqual(faults, [], suffix)
    assert.deepEqual(
      [audio.codec, audio.mediaType, audio.durationMs, audio.sampleRate, audio.channels, audio.bitDepth],
      [codec, mediaType, durationMs, sampleRate, channels, bitDepth],
    )
    assert.deepEqual(
      [
        tags.title,
        tags.artists.map(({ name }) => name),
        tags.albumArtists,
        tags.album,
        tags.track,
        tags.disc,
      ],
      ['Tïtle', ['A One', 'B Two'], [{ name: 'Both' }], 'Album', 3, 2],
      suffix,
    )
    assert.deepEqual(
      [tags.date, tags.genres, tags.composers, tags.replayGain?.trackGain, tags.musicBrainz.release],
      ['2001-02-03', ['Rock'], [{ name: 'C1' }], -3.25, 'release'],
      suffix,
    )
    assert.equal(await faultOf(`rare-${suffix}.mp3`, bytes), 'FILE_MISLABELLED')
  }
})

test('each format is known by its bytes, with what its audio is', async () => {
  const expected: ReadonlyArray<[encoding: Encoding, codec: string, mediaType: string, suffix: string]> = [
    ['mp3', 'mp3', 'audio/mpeg', 'mp3'],
    ['flac', 'flac', 'audio/flac', 'flac'],
    ['ogg', 'vorbis', 'audio/ogg', 'ogg'],
    ['opus', 'opus', 'audio/ogg', 'opus'],
    ['m4a', 'aac', 'audio/mp4', 'm4a'],
    ['alac', 'alac', 'audio/mp4', 'm4a'],
    ['wav', 'pcm', 'audio/wav', 'wav'],
    ['aiff', 'pcm', 'audio/aiff', 'aiff'],
    ['wv', 'wavpack', 'audio/x-wavpack', 'wv'],
    ['wma', 'wma', 'audio/x-ms-wma', 'wma'],
    ['tta', 'tta', 'audio/x-tta', 'tta'],
    ['mka', 'flac', 'audio/x-matroska', 'mka'],
  ]
  for (const [encoding, codec, mediaType, suffix] of expected) {
    const found = await read(`plain.${suffix}`, await folder.sound(encoding))
    assert.ok(found.ok, encoding)
    const { audio } = found
    assert.deepEqual([audio.codec, audio.mediaType, audio.suffix], [codec, mediaType, suffix])
    assert.ok(Math.abs(audio.durationMs - 1_000) < 150, `${encoding} lasts ${audio.durationMs} ms`)
    assert.ok(audio.sampleRate >= 22_050 && audio.channels >= 1)
    assert.deepEqual(found.faults, [])
  }
})

test('a file without tags is named by its file name', async () => {
  const sound = await folder.sound('mp3')
  const names = {
    '07 - The Song.mp3': 'The Song',
    '1-02 Other.mp3': 'Other',
    'machine_wars.mp3': 'machine wars',
    '99.mp3': '99',
  }
  for (const [name, title] of Object.entries(names)) {
    const tags = await tagsOf(name, sound)
    assert.equal(tags.title, title)
    assert.deepEqual(tags.artists, [])
    assert.equal(tags.album, undefined)
  }
})

test('text in wrong or old encodings is repaired or at least harmless', async () => {
  const sound = await folder.sound('mp3')
  const old = id3v1({
    title: Buffer.from('Ol\xe9', 'latin1'),
    artist: Buffer.from('Mot\xf6r', 'latin1'),
    album: Buffer.from('X'),
  })
  const first = await tagsOf('v1.mp3', Buffer.concat([sound, old]))
  assert.deepEqual([first.title, first.artists[0]?.name], ['Olé', 'Motör'])
  const frames = [
    // UTF-8 that says it is Latin-1, UTF-16, and Windows-1252 quotes.
    { id: 'TIT2', body: Buffer.concat([Buffer.of(0), Buffer.from('Beyoncé')]) },
    textFrame('TPE1', 'Сплин', 1),
    { id: 'TALB', body: Buffer.concat([Buffer.of(0), Buffer.from('\x93Quoted\x94', 'latin1')]) },
    textFrame('COMM', 'x'),
  ]
  const tags = await tagsOf('encodings.mp3', Buffer.concat([id3v2(frames, { version: 3 }), sound]))
  assert.deepEqual([tags.title, tags.artists[0]?.name, tags.album], ['Beyoncé', 'Сплин', '“Quoted”'])
  const garbage = [
    textFrame('TIT2', '\u0001bad\u0000\ud800\u200b'),
    { id: 'TPE1', body: Buffer.from('01fffe00d8', 'hex') },
  ]
  assert.equal((await tagsOf('garbage.mp3', Buffer.concat([id3v2(garbage), sound]))).title, 'bad')
})

test('what is too long is cut, what is too much is dropped', async () => {
  const frames = [
    textFrame('TIT2', 'x'.repeat(1_000_000)),
    textFrame(
      'TPE1',
      Array.from({ length: 5_000 }, (_, at) => `Artist ${at}`),
    ),
    textFrame('TRCK', '99999999999'),
    textFrame('TBPM', '-3'),
    textFrame('TDRC', 'yesterday'),
  ]
  const tags = await tagsOf('long.mp3', Buffer.concat([id3v2(frames), await folder.sound('mp3')]))
  assert.equal(tags.title.length, 4_000)
  assert.equal(tags.artists.length, 100)
  assert.deepEqual([tags.track, tags.bpm, tags.date], [undefined, undefined, undefined])
})

test('a file whose every field is endless still makes a small fact', async () => {
  const endless = (count: number) => Array.from({ length: count }, (_, at) => `${at} ${'long '.repeat(400)}`)
  const names = ['TPE1', 'TPE2', 'TCOM', 'TCON', 'TMOO', 'TPUB', 'TALB', 'TSOA', 'TEXT', 'TPE3', 'TPE4']
  const frames = [textFrame('TIT2', 'Endless'), ...names.map((name) => textFrame(name, endless(100)))]
  const tags = await tagsOf('endless.mp3', Buffer.concat([id3v2(frames), await folder.sound('mp3')]))
  assert.equal(tags.title, 'Endless')
  assert.equal(tags.artists.length, 20)
  assert.ok(JSON.stringify(tags).length < 50_000)
})

test('hostile and broken files are told by their code', async () => {
  const [mp3, flac, wav, m4a] = await Promise.all(
    (['mp3', 'flac', 'wav', 'm4a'] as const).map((kind) => folder.sound(kind)),
  )
  assert.ok(mp3 && flac && wav && m4a)
  const long = await folder.sound('ogg', { seconds: 5 })
  assert.equal(await faultOf('empty.mp3', Buffer.alloc(0)), 'no track: FILE_EMPTY')
  assert.equal(
    await faultOf('picture.mp3', Buffer.concat([jpeg, Buffer.alloc(5_000, 7)])),
    'no track: FILE_NOT_AUDIO',
  )
  assert.equal(
    await faultOf('page.mp3', Buffer.from(`<html>${'x'.repeat(9_999)}`)),
    'no track: FILE_NOT_AUDIO',
  )
  assert.equal(await faultOf('zeros.flac', Buffer.alloc(100_000)), 'no track: FILE_NOT_AUDIO')
  assert.equal(await faultOf('header.flac', Buffer.from('fLaC')), 'no track: FILE_DAMAGED')
  assert.equal(await faultOf('header.m4a', m4a.subarray(0, 40)), 'no track: FILE_DAMAGED')
  assert.equal(await faultOf('short.wav', wav.subarray(0, 20_000)), 'FILE_TRUNCATED')
  assert.equal(await faultOf('short.ogg', long.subarray(0, Math.floor(long.length * 0.7))), 'FILE_TRUNCATED')
  assert.equal(await faultOf('really-flac.ogg', flac), 'FILE_MISLABELLED')
  assert.equal(await faultOf('really-mp3.flac', mp3), 'FILE_MISLABELLED')
  const drm = Buffer.from(m4a.toString('latin1').replace('mp4a', 'drms'), 'latin1')
  assert.equal(await faultOf('protected.m4p', drm), 'no track: FILE_ENCRYPTED')
  const noImage = id3v2([pictureFrame('image/jpeg', Buffer.from('<html>not found</html>'))])
  assert.equal(await faultOf('cover.mp3', Buffer.concat([noImage, mp3])), 'COVER_NOT_AN_IMAGE')
  assert.equal(await faultOf('prefixed.flac', Buffer.concat([id3v2([textFrame('TIT2', 'x')]), flac])), '')
})

test('tags of fifty megabytes cost little, and the track plays', async () => {
  const sound = await folder.sound('mp3')
  const huge = id3v2([textFrame('TIT2', 'Huge'), { id: 'PRIV', body: Buffer.alloc(50_000_000, 1) }])
  assert.equal(await faultOf('huge.mp3', Buffer.concat([huge, sound])), 'TAGS_TOO_LARGE')
  const twenty = id3v2([
    textFrame('TIT2', 'Large'),
    pictureFrame('image/jpeg', Buffer.concat([jpeg, Buffer.alloc(20_000_000)])),
  ])
  assert.equal((await tagsOf('large.mp3', Buffer.concat([twenty, sound]))).title, 'Large')
})

test('a cut or scrambled file never breaks the reader', async () => {
  const kinds: Encoding[] = ['mp3', 'flac', 'ogg', 'opus', 'm4a', 'wav', 'aiff', 'wv', 'wma', 'tta', 'mka']
  const seed = 20261121
  let state = seed
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff
    return state % below
  }
  for (const kind of kinds) {
    const whole = await folder.sound(kind)
    for (let round = 0; round < 12; round++) {
      const bytes = Buffer.from(whole.subarray(0, random(whole.length)))
      for (let at = 0; at < 8 && bytes.length > 0; at++)
        bytes[random(Math.min(bytes.length, 600))] = random(256)
      await assert.doesNotReject(read(`scrambled.${kind}`, bytes), `seed ${seed}, ${kind}, round ${round}`)
    }
  }
  assert.equal(
    (await tagsOf('after.flac', retagFlac(await folder.sound('flac'), { TITLE: 'Fine' }))).title,
    'Fine',
  )
})

test('lyrics come plain and with times', async () => {
  const frames = [
    lyricsFrame('la la\nlo lo'),
    timedLyricsFrame([
      [0, 'one'],
      [1_500, 'two'],
    ]),
  ]
  const path = await folder.write('lyrics.mp3', Buffer.concat([id3v2(frames), await folder.sound('mp3')]))
  assert.deepEqual(reader.readLyrics(path), [
    {
      synced: true,
      language: 'eng',
      lines: [
        { startMs: 0, text: 'one' },
        { startMs: 1_500, text: 'two' },
      ],
    },
    { synced: false, lines: [{ text: 'la la' }, { text: 'lo lo' }] },
  ])
  const only = await tagsOf('timed.mp3', Buffer.concat([id3v2(frames.slice(1)), await folder.sound('mp3')]))
  assert.equal(only.embeddedLyrics, true)
})

test('a cover comes as the bytes that were embedded, the front one first', async () => {
  const front = Buffer.concat([jpeg, Buffer.from('front')])
  const frames = [pictureFrame('image/png', jpeg, 4), pictureFrame('image/png', front, 3)]
  const path = await folder.write('cover.mp3', Buffer.concat([id3v2(frames), await folder.sound('mp3')]))
  const cover = reader.readCover(path)
  assert.deepEqual(cover && Buffer.from(cover.bytes), front)
  assert.equal(cover?.mediaType, 'image/jpeg')
  assert.equal(reader.readCover(await folder.write('bare.mp3', await folder.sound('mp3'))), null)
})

test('equal files have equal fingerprints; other tags, sizes or sounds make others', async () => {
  const one = await folder.add('one.flac', { title: 'One' })
  const same = await folder.add('same.flac', { title: 'One' })
  const other = await folder.add('other.flac', { title: 'Two' })
  const sound = await folder.add('sound.flac', { title: 'One' }, { hertz: 500 })
  const print = (path: string) => {
    const found = reader.readTags(path)
    return found.ok ? found.fingerprint : assert.fail(found.fault.code)
  }
  assert.equal(print(one), print(same))
  assert.equal(new Set([one, other, sound].map(print)).size, 3)
})
