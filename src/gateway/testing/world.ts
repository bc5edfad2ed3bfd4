import sharp from 'sharp'
import { type MusicFolder, makeMusicFolder } from '../../../test/fixtures/make.ts'
import { waitFor } from '../../../test/harness/wait.ts'
import {
  type AlbumSummary,
  albumSummary,
  type LibrarySummary,
  librarySummary,
  page,
  scanStatus,
  type TrackSummary,
  trackSummary,
} from '../../protocol/api/catalog.ts'
import { openTestGateway, type TestGateway } from './gateway.ts'
import type { Visitor } from './visitor.ts'

/** A server with two libraries: one for everyone, and one that only the administrator sees. */
export interface World extends AsyncDisposable {
  readonly edge: TestGateway
  readonly administrator: Visitor
  /** A plain user. */
  readonly guest: Visitor
  readonly music: MusicFolder
  readonly open: LibrarySummary
  readonly hidden: LibrarySummary
  albums(visitor: Visitor): Promise<AlbumSummary[]>
  tracks(visitor: Visitor): Promise<TrackSummary[]>
}

export async function openWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const music = stack.use(await makeMusicFolder())
  const secret = stack.use(await makeMusicFolder())
  const red = { width: 300, height: 300, channels: 3, background: '#c33' } as const
  await music.add('Ana/First/01 One.mp3', {
    title: 'One',
    artist: 'Ana',
    album: 'First',
    track: 1,
    year: 1999,
    genre: 'Rock',
  })
  await music.add('Ana/First/02 Two.flac', {
    title: 'Two',
    artist: 'Ana',
    album: 'First',
    track: 2,
    year: 1999,
    genre: 'Rock',
  })
  await music.write('Ana/First/cover.png', await sharp({ create: red }).png().toBuffer())
  await music.write('Ana/First/01 One.lrc', '[00:00.50]la la\n[00:01.00]la')
  await music.add('Bob/Second/01 Three.ogg', {
    title: 'Three',
    artist: 'Bob',
    album: 'Second',
    track: 1,
    genre: 'Jazz',
  })
  await music.write('Bob/Second/broken.mp3', 'this is no audio at all')
  await secret.add('Eve/Hidden/01 Secret.mp3', {
    title: 'Secret',
    artist: 'Eve',
    album: 'Hidden',
    genre: 'Secrecy',
  })

  const edge = stack.use(await openTestGateway())
  const { administrator } = edge
  const add = async (body: unknown) =>
    librarySummary.parse((await administrator.post('/api/libraries', body)).body)
  const open = await add({ path: music.path, name: 'Music' })
  const hidden = await add({ path: secret.path, name: 'Vault', visibleTo: [] })
  // On a whole node, upkeep sees new libraries.
  await administrator.post('/api/scan', {})
  const albums = async (visitor: Visitor) =>
    page(albumSummary).parse((await visitor.get('/api/albums')).body).items
  await waitFor(
    async () => {
      const { phase } = scanStatus.parse((await administrator.get('/api/scan')).body)
      return phase === 'idle' && (await albums(administrator)).length === 3
    },
    { what: 'the music to be scanned' },
  )
  const guest = await edge.person('guest')
  const owned = stack.move()
  return {
    edge,
    administrator,
    guest,
    music,
    open,
    hidden,
    albums,
    tracks: async (visitor) => page(trackSummary).parse((await visitor.get('/api/tracks')).body).items,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
