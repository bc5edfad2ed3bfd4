import { encodeTone } from '../../../../test/fixtures/audio.ts'
import { type MusicFolder, makeMusicFolder } from '../../../../test/fixtures/make.ts'
import { makePicture } from '../../../../test/fixtures/picture.ts'
import { feedOf, item, type PodcastServer, startPodcastServer } from '../../../../test/harness/podcast.ts'
import { waitFor } from '../../../../test/harness/wait.ts'
import { openTestGateway, type TestGateway } from '../../testing/gateway.ts'
import { type Client, type Listener, openClient } from './client.ts'

/** A server with music whose tags say all that the API can tell, and two people with a client each. */
export interface SubsonicWorld extends AsyncDisposable {
  readonly edge: TestGateway
  /** The folder that everyone sees. */
  readonly music: MusicFolder
  /** Has a podcast under `/feed.xml`. */
  readonly outside: PodcastServer
  readonly administrator: Client
  /** A plain user, who does not see the library `Vault`. */
  readonly guest: Client
}

export async function openSubsonicWorld(heard?: Listener): Promise<SubsonicWorld> {
  await using stack = new AsyncDisposableStack()
  const music = stack.use(await makeMusicFolder())
  const vault = stack.use(await makeMusicFolder())
  const first = {
    artist: 'The Ana & "Bob" <Band>',
    albumArtist: 'The Ana',
    album: 'First',
    year: 1999,
    genre: 'Rock',
  } as const
  await music.add('Ana/First/01.flac', {
    ...first,
    title: 'One & only\u0001',
    track: 1,
    disc: 1,
    more: {
      ARTISTS: ['The Ana', 'Bob'],
      COMPOSER: ['Cem', 'Dia'],
      CONDUCTOR: 'Edo',
      MUSICBRAINZ_TRACKID: 'b1a9c0de-0000-4000-8000-000000000001',
      MUSICBRAINZ_ALBUMID: 'b1a9c0de-0000-4000-8000-000000000002',
      ISRC: 'USRC17607839',
      MOOD: ['Calm', 'Happy'],
      WORK: 'Opus 1',
      MOVEMENTNAME: 'Allegro',
      MOVEMENT: '2',
      MOVEMENTTOTAL: '4',
      GROUPING: 'Evening',
      LABEL: 'Labels & Co',
      RELEASETYPE: ['Album', 'Live'],
      ORIGINALDATE: '1998-05-06',
      RELEASEDATE: '1999-07',
      DISCSUBTITLE: 'The first disc',
      REPLAYGAIN_TRACK_GAIN: '-6.50 dB',
      REPLAYGAIN_TRACK_PEAK: '0.98',
      BPM: '120',
      COMMENT: 'A comment\nof two lines',
      ITUNESADVISORY: '1',
    },
  })
  await music.write('Ana/First/01.lrc', '[00:00.10]uno')
  await music.add('Ana/First/02.mp3', { ...first, title: 'Two', track: 2, disc: 1 }, { seconds: 12 })
  await music.write('Ana/First/02.lrc', '[00:00.50]<00:00.50>ña <00:00.75>la\n[00:01.00]la')
  await music.add('Dan/Second/01.ogg', {
    title: 'Three',
    artist: 'Dan',
    album: 'Second',
    year: 2005,
    genre: 'Rock',
  })
  await music.add('Eli/Third/01.mp3', { title: 'Four', artist: 'Élise', album: 'Third', genre: 'Jazz' })
  await vault.add('Eve/Hidden/01.mp3', { title: 'Secret', artist: 'Eve', album: 'Hidden', genre: 'Secrecy' })

  await vault.add('untagged.mp3', { title: 'untagged' })

  const edge = stack.use(await openTestGateway())
  const person = await edge.person('guest')
  const administrator = await openClient(edge.url, edge.administrator, 'ada', heard)
  const guest = await openClient(edge.url, person, 'guest', heard)
  await edge.administrator.post('/api/libraries', { path: music.path, name: 'Music & more' })
  await edge.administrator.post('/api/libraries', { path: vault.path, name: 'Vault', visibleTo: [] })
  await edge.administrator.post('/api/scan', {})
  await waitFor(
    async () => {
      const { body } = await edge.administrator.get('/api/counts')
      return JSON.stringify(body).includes('"tracks":6')
    },
    { what: 'the music to be scanned' },
  )
  const outside = stack.use(await startPodcastServer())
  await putPodcast(outside)
  const owned = stack.move()
  return { edge, music, outside, administrator, guest, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A channel with a picture; an episode with sound and a picture of its own, one whose sound is none, and one without all. */
async function putPodcast(outside: PodcastServer): Promise<void> {
  outside.put('/first.mp3', {
    bytes: await encodeTone('mp3', 12),
    headers: { 'content-type': 'audio/mpeg' },
  })
  outside.put('/second.mp3', { bytes: '<html>Not here</html>' })
  outside.put('/third.mp3', { bytes: await encodeTone('mp3', 1, 880) })
  outside.put('/cover.png', { bytes: await makePicture() })
  const first = `<itunes:author>Ana</itunes:author><itunes:duration>0:12</itunes:duration>
    <itunes:season>1</itunes:season><itunes:episode>3</itunes:episode><itunes:explicit>yes</itunes:explicit>
    <itunes:image href="/cover.png?own"/><pubDate>Wed, 02 Sep 2020 12:00:00 GMT</pubDate>
    <description>&lt;p&gt;Of &amp;lt;this&amp;gt; &amp;amp; that&lt;/p&gt;</description>`
  const older = (day: string) => `<pubDate>${day} 2020 12:00:00 GMT</pubDate>`
  const items = [
    item('first', 'First &amp; &lt;b&gt;best&lt;/b&gt;', 'first.mp3', first),
    item('second', 'Second', '/second.mp3', older('Tue, 01 Sep')),
    item('third', 'Third', '/third.mp3', older('Mon, 31 Aug')),
  ]
  outside.put('/cover.png?own', { bytes: await makePicture() })
  const head = '<description>A show</description><itunes:image href="/cover.png"/>'
  outside.put('/feed.xml', {
    bytes: feedOf('The <![CDATA[Show & more]]>', items, head),
    headers: { etag: '"1"' },
  })
}
