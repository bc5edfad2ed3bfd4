import { type MusicFolder, makeMusicFolder } from '../../../../test/fixtures/make.ts'
import { waitFor } from '../../../../test/harness/wait.ts'
import { openTestGateway, type TestGateway } from '../../testing/gateway.ts'
import { type Client, type Listener, openClient } from './client.ts'

/** A server with music whose tags say all that the API can tell, and two people with a client each. */
export interface SubsonicWorld extends AsyncDisposable {
  readonly edge: TestGateway
  /** The folder that everyone sees. */
  readonly music: MusicFolder
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
      return JSON.stringify(body).includes('"tracks":5')
    },
    { what: 'the music to be scanned' },
  )
  const owned = stack.move()
  return { edge, music, administrator, guest, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
