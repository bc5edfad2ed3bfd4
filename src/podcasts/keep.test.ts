import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { encodeTone } from '../../test/fixtures/audio.ts'
import { type Ground, openGround } from '../../test/fixtures/ground.ts'
import { makePicture } from '../../test/fixtures/picture.ts'
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/folder.ts'
import { feedOf, item, type PodcastServer, startPodcastServer } from '../../test/harness/podcast.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { type DiskBlobs, openDiskBlobs } from '../blobs/disk.ts'
import { fetchOutward } from '../outward/fetch.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Audio } from '../protocol/facts/catalog.ts'
import type { PodcastEpisode } from '../protocol/facts/podcasts.ts'
import type { Transaction } from '../store/store.ts'
import { blobsOfPodcasts, createPodcastBytes } from './bytes.ts'
import { createPodcasts, podcastsProjection } from './create.ts'
import { channelId, channels, episodes } from './facts.ts'
import { keepPodcasts } from './keep.ts'
import type { KeepOptions } from './mandate.ts'
import type { Podcasts } from './podcasts.ts'
import { findEpisodes } from './queries.ts'

let ground: Ground
let folder: TemporaryFolder
let blobs: DiskBlobs
let outside: PodcastServer
let podcasts: Podcasts
let sound: Buffer
let url = ''
let channel = ''
const ada = randomUUID()
const signal = () => AbortSignal.timeout(60_000)

before(async () => {
  ground = await openGround([podcastsProjection])
  sound = await encodeTone('mp3', 12)
})
after(() => ground[Symbol.asyncDispose]())
beforeEach(async (context) => {
  await ground.clear()
  folder = await temporaryFolder('podcasts')
  blobs = await openDiskBlobs(folder.path, {
    cacheBytes: 1 << 20,
    otherCopies: () => [],
    report: () => undefined,
  })
  outside = await startPodcastServer()
  url = `${outside.url}/feed.xml`
  channel = channelId(url)
  podcasts = createPodcasts(ground)
  outside.put('/one.mp3', { bytes: sound })
  assert.ok('after' in context)
  context.after(async () => {
    await outside[Symbol.asyncDispose]()
    await blobs[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
})

const mp3: Audio = {
  codec: 'mp3',
  mediaType: 'audio/mpeg',
  suffix: 'mp3',
  durationMs: 12_000,
  bitrate: 32,
  sampleRate: 22_050,
  channels: 1,
}

interface Keeper extends AsyncDisposable {
  /** Every transaction that it has committed. */
  readonly committed: readonly Transaction[]
}

/** Keeps the podcasts until it is disposed of, which is how a node loses its office. */
function keep(changed: Partial<KeepOptions> = {}): Keeper {
  const { store, index } = ground
  const ending = new AbortController()
  const committed: Transaction[] = []
  const options: KeepOptions = {
    store,
    index,
    blobs,
    spread: async () => undefined,
    readAudio: async () => mp3,
    fetch: fetchOutward,
    person: async (user) => (user === ada ? { administrator: true } : null),
    onError(error) {
      throw error
    },
    ...changed,
  }
  const running = keepPodcasts(options, {
    signal: ending.signal,
    async commit(transaction) {
      const { ok } = await store.commit(transaction)
      if (ok) committed.push(transaction)
      return ok
    },
  })
  return {
    committed,
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the office is lost'))
      await running
    },
  }
}

const settled = async ({ revision }: { readonly revision: number }) => ground.index.waitFor(revision)
const shown = () => {
  const known = podcasts.channel(channel)
  return known === null ? [] : findEpisodes({ prepare: ground.index.statement }, known)
}
const titled = (title: string) => shown().find(({ feed }) => feed.title === title)

async function subscribed(count: number): Promise<void> {
  await settled(await podcasts.subscribe(ada, url))
  await waitFor(() => shown().length === count, { what: `${count} episodes` })
  await waitFor(() => podcasts.channel(channel)?.read, { what: 'the feed to be read' })
}

async function stateOf(title: string, state: PodcastEpisode['state']) {
  return await waitFor(() => titled(title)?.state === state && titled(title), {
    what: `${title} to be ${state}`,
  })
}

test('a refresh writes only what has changed, and nothing where the feed is the same', async () => {
  const items = Array.from({ length: 120 }, (_, at) => item(`g${at}`, `Episode ${at}`, `/${at}.mp3`))
  outside.put('/feed.xml', { bytes: feedOf('Show', items) })
  await using keeper = keep()
  await subscribed(120)
  const writtenSince = (at: number) =>
    keeper.committed.slice(at).flatMap(({ writes }) => writes.map(({ key }) => key))
  const keysOf = (prefix: string, at: number) => writtenSince(at).filter((key) => key.startsWith(prefix))
  assert.equal(keysOf(episodes.prefix, 0).length, 120)

  const before = keeper.committed.length
  items[7] = item('g7', 'Renamed', '/7.mp3')
  outside.put('/feed.xml', { bytes: feedOf('Show', [item('new', 'New', '/new.mp3'), ...items]) })
  await settled(await podcasts.refresh())
  await waitFor(() => titled('Renamed') && titled('New'), { what: 'the changes' })
  await waitFor(() => keysOf(channels.prefix, before).length > 0, { what: 'the refresh to end' })
  assert.equal(keysOf(episodes.prefix, before).length, 2)

  const again = keeper.committed.length
  await settled(await podcasts.refresh())
  await waitFor(() => keysOf(channels.prefix, again).length > 0, { what: 'another refresh' })
  assert.deepEqual(keysOf(episodes.prefix, again), [])
})

test('[N2] whoever loses the office in the middle of a download leaves nothing, and the next begins it anew', async () => {
  outside.put('/feed.xml', { bytes: feedOf('Show', [item('one', 'One', '/one.mp3')]) })
  const held = outside.hold('/one.mp3')
  {
    await using _first = keep()
    await subscribed(1)
    await settled(await podcasts.download(titled('One')?.id ?? ''))
    await waitFor(async () => (await readdir(join(folder.path, 'blobs', 'tmp')).catch(() => [])).length > 0, {
      what: 'the download to be in its middle',
    })
  }
  assert.deepEqual(await readdir(join(folder.path, 'blobs', 'tmp')), [])
  assert.equal(titled('One')?.state, 'wanted')
  held.letGo()
  await using _second = keep()
  const { kept } = await stateOf('One', 'kept')
  using reader = await blobs.open(kept?.blob ?? '')
  assert.deepEqual(
    Buffer.concat(await Array.fromAsync(reader.chunks(), (piece) => Buffer.from(piece))),
    sound,
  )
})

test('a download that breaks off goes on where it was, of the very same file only', async () => {
  const items = ['one', 'two', 'three'].map((name) => item(name, name, `/${name}.mp3`))
  outside.put('/feed.xml', { bytes: feedOf('Show', items) })
  outside.put('/one.mp3', { status: 302, bytes: '', headers: { location: '/cdn/one.mp3' } })
  outside.put('/cdn/one.mp3', { bytes: sound, headers: { etag: '"a"' } })
  outside.put('/two.mp3', { bytes: sound })
  outside.put('/three.mp3', { bytes: Buffer.concat([sound, sound]), headers: { etag: '"old"' } })
  await using _keeper = keep()
  await subscribed(3)
  const rangesOf = (path: string) =>
    outside.asked.filter((each) => each.path === path).map(({ headers }) => headers.range)

  outside.cut('/cdn/one.mp3', 2)
  await settled(await podcasts.download(titled('one')?.id ?? ''))
  const { kept } = await stateOf('one', 'kept')
  using reader = await blobs.open(kept?.blob ?? '')
  const pieces = await Array.fromAsync(reader.chunks(), (piece) => Buffer.from(piece))
  assert.deepEqual(Buffer.concat(pieces), sound)
  const ranges = rangesOf('/cdn/one.mp3')
  assert.equal(ranges.length, 3)
  assert.deepEqual(
    ranges.map((range) => range?.startsWith('bytes=')),
    [undefined, true, true],
  )
  assert.ok(Number(ranges[2]?.slice(6, -1)) > Number(ranges[1]?.slice(6, -1)), String(ranges))

  // A server that names its files by nothing could send half of another one: it is begun anew.
  outside.cut('/two.mp3', 1)
  await settled(await podcasts.download(titled('two')?.id ?? ''))
  // So is one that has become another meanwhile.
  outside.cut('/three.mp3', 1)
  const held = outside.hold('/three.mp3')
  await settled(await podcasts.download(titled('three')?.id ?? ''))
  await waitFor(() => rangesOf('/three.mp3').length === 1, { what: 'the download to begin' })
  outside.put('/three.mp3', { bytes: sound, headers: { etag: '"new"' } })
  held.letGo()
  assert.equal((await stateOf('three', 'kept')).kept?.size, sound.length)
  assert.deepEqual(
    rangesOf('/three.mp3').map((range) => range === undefined),
    [true, false, true],
  )
  await stateOf('two', 'kept')
  assert.deepEqual(rangesOf('/two.mp3'), [undefined, undefined])
})

test('a feed as people write them is read to the end, and its sound is found behind those who count listeners', async () => {
  outside.put('/feed.xml', {
    bytes: await readFile(join(import.meta.dirname, '../../test/fixtures/feed.xml')),
  })
  const picture = await makePicture()
  outside.put('/cover.png', { bytes: picture })
  outside.put('/own.png', { bytes: Buffer.concat([picture, Buffer.from('other')]) })
  const tracked = '/tracked/12.mp3?source=feed&ref=a%20b'
  outside.put(tracked, { status: 302, bytes: '', headers: { location: 'sign?for=12' } })
  const signed = { location: `${outside.url}/cdn/12.mp3?token=%2B%3D` }
  outside.put('/tracked/sign?for=12', { status: 307, bytes: '', headers: signed })
  outside.put('/cdn/12.mp3?token=%2B%3D', {
    bytes: sound,
    headers: { 'content-type': 'binary/octet-stream' },
  })
  await using _keeper = keep()
  await subscribed(3)
  const { feed: head, image } = podcasts.channel(channel) ?? {}
  assert.deepEqual(head, {
    title: 'Tea & Scones – der Küchen-Podcast',
    description: 'Every week, over tea.\nWith guests…',
    author: 'Ana & Bo',
    imageUrl: `${outside.url}/cover.png`,
  })
  assert.equal(image?.size, picture.length)
  assert.deepEqual(
    shown().map(({ feed: { audio, ...feed } }) => ({ ...feed, ...audio })),
    [
      // What has no date came when it was found.
      {
        guid: 'http://cdn.example/trailer.mp3',
        title: 'Trailer — soon',
        url: 'http://cdn.example/trailer.mp3',
      },
      {
        guid: 'pod.example-12',
        title: '#12: Milk first? 1 < 2 &',
        description: 'Chapters\n\n• 00:00 Hello\n\n• 00:05 Milk',
        publishedAt: Date.UTC(2024, 2, 31, 4, 30),
        durationMs: 12_000,
        number: 12,
        season: 3,
        explicit: false,
        imageUrl: `${outside.url}/own.png`,
        url: `${outside.url}${tracked}`,
        mediaType: 'audio/mpeg',
      },
      {
        guid: 'https://pod.example/?p=11',
        title: 'Only iTunes knows the title',
        description: 'A summary & more',
        publishedAt: Date.UTC(2024, 2, 24, 5, 30),
        durationMs: 125_000,
        url: 'http://cdn.example/shows/11%20(final).m4a',
        mediaType: 'audio/x-m4a',
        size: 73_400_320,
      },
    ],
  )
  await settled(await podcasts.download(titled('#12: Milk first? 1 < 2 &')?.id ?? ''))
  const kept = await waitFor(() => shown().find(({ state }) => state === 'kept'), { what: 'the episode' })
  assert.deepEqual([kept.kept?.size, kept.image?.size], [sound.length, picture.length + 5])
})

test('[B3] an episode is there only once enough copies are durable; until then it is tried again', async () => {
  outside.put('/feed.xml', { bytes: feedOf('Show', [item('one', 'One', '/one.mp3')]) })
  let asked = 0
  await using _keeper = keep({
    async spread(hash, size) {
      asked += 1
      assert.equal(await blobs.size(hash), size)
      assert.equal(titled('One')?.state, 'wanted')
      if (asked === 1) throw new CodedError('COPIES_TOO_FEW')
    },
  })
  await subscribed(1)
  await settled(await podcasts.download(titled('One')?.id ?? ''))
  await waitFor(() => titled('One')?.trouble?.code === 'COPIES_TOO_FEW', {
    what: 'the first attempt to fail',
  })
  const { kept, failures, trouble } = await stateOf('One', 'kept')
  assert.deepEqual([kept?.size, failures, trouble, asked], [sound.length, 0, undefined, 2])
})

test('a download that nobody wants any more is ended, and what is no audio becomes no blob', async () => {
  const items = [item('one', 'One', '/one.mp3'), item('two', 'Two', '/two.mp3')]
  outside.put('/feed.xml', { bytes: feedOf('Show', items) })
  outside.put('/two.mp3', { bytes: sound })
  outside.hold('/one.mp3')
  const read: string[] = []
  await using _keeper = keep({
    async readAudio(path) {
      read.push(path)
      throw new CodedError('FILE_NOT_AUDIO')
    },
  })
  await subscribed(2)
  await settled(await podcasts.download(titled('One')?.id ?? ''))
  await waitFor(() => outside.asked.some(({ path }) => path === '/one.mp3'), {
    what: 'the download to begin',
  })
  await settled(await podcasts.discard(titled('One')?.id ?? ''))
  await settled(await podcasts.download(titled('Two')?.id ?? ''))
  assert.equal((await stateOf('Two', 'failed')).trouble?.code, 'FILE_NOT_AUDIO')
  assert.equal((await stateOf('One', 'skipped')).trouble, undefined)
  await waitFor(async () => (await readdir(join(folder.path, 'blobs', 'tmp'))).length === 0, {
    what: 'what was written of both to be gone',
  })
  assert.equal(read.length, 1)
  assert.deepEqual(await Array.fromAsync(blobs.list()), [])
})

test('[B4] what facts of podcasts name is needed, and waste once none does: deleted, or gone with its channel', async () => {
  const picture = await makePicture()
  outside.put('/cover.png', { bytes: picture })
  outside.put('/own.png', { bytes: Buffer.concat([picture, Buffer.from('other')]) })
  const items = Array.from({ length: 150 }, (_, at) => item(`g${at}`, `Episode ${at}`, `/${at}.mp3`))
  items.push(item('one', 'One', '/one.mp3', '<itunes:image href="/own.png"/>'))
  outside.put('/feed.xml', { bytes: feedOf('Show', items, '<itunes:image href="/cover.png"/>') })
  const { store, index } = ground
  const bytes = createPodcastBytes(index)
  await using _keeper = keep()
  await subscribed(151)
  const { id } = titled('One') ?? { id: '' }
  await settled(await podcasts.download(id))
  const { kept, image } = await stateOf('One', 'kept')
  const cover = podcasts.channel(channel)?.image
  assert.ok(kept && image && cover)
  const needed = [kept, image, cover].map(({ blob }) => blob).toSorted()
  assert.deepEqual([...(await blobsOfPodcasts(store, signal()))].toSorted(), needed)
  assert.deepEqual(
    bytes.references.page(undefined, 10).map(({ hash }) => hash),
    needed,
  )
  assert.deepEqual(bytes.references.page(needed[0], 1)[0]?.hash, needed[1])
  assert.deepEqual(bytes.references.get(kept.blob), { hash: kept.blob, size: sound.length, inPlace: [] })
  assert.deepEqual(
    bytes.blobsOf(episodes.key(`${channel}/${id}`)).toSorted(),
    [kept.blob, image.blob].toSorted(),
  )

  await settled(await podcasts.discard(id))
  assert.equal((await stateOf('One', 'deleted')).kept, undefined)
  assert.ok(!bytes.isReferenced(kept.blob) && bytes.isReferenced(cover.blob))

  await settled(await podcasts.unsubscribe(channel))
  assert.equal(podcasts.episode(id), null)
  await waitFor(async () => (await store.list('podcasts/')).entries.length === 0, {
    what: 'the episodes to go',
  })
  await ground.index.waitFor((await store.status()).revision)
  assert.deepEqual(bytes.references.page(undefined, 10), [])
  await assert.rejects(podcasts.download(id), (error) => isCoded(error, 'NOT_FOUND'))
})

test('what a feed leads to may lie inside only where the feed lies, and only for an administrator', async () => {
  outside.put('/feed.xml', { bytes: feedOf('Show', [item('one', 'One', '/one.mp3')]) })
  await using _keeper = keep()
  await settled(await podcasts.subscribe(randomUUID(), url))
  await waitFor(() => podcasts.channel(channel)?.trouble?.code === 'ADDRESS_FORBIDDEN', { what: 'a refusal' })
  assert.deepEqual(outside.asked, [])
})
