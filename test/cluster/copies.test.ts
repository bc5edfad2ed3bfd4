import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Copy } from '../../src/blobs/blobs.ts'
import { hashPath } from '../../src/blobs/sums.ts'
import { flipByte, noise, streamOf } from '../../src/blobs/test-support.ts'
import {
  type MediaNode,
  type MediaNodes,
  openMediaNodes,
} from '../../src/gateway/peers/testing/media-nodes.ts'
import { createOriginals, type Original } from '../../src/media/originals.ts'
import { CodedError, isCoded } from '../../src/protocol/errors.ts'
import type { BlobHash } from '../../src/protocol/ids.ts'
import { smallDisk } from '../harness/small-disk.ts'
import { waitFor } from '../harness/wait.ts'

const signal = AbortSignal.timeout(300_000)
const disk = await smallDisk(96)
let media: MediaNodes
let nodes: [MediaNode, MediaNode, MediaNode, MediaNode]

before(async () => {
  media = await openMediaNodes(4, [undefined, undefined, undefined, join(disk.path, 'data')])
  const [one, two, three, four] = media.nodes
  assert.ok(one && two && three && four)
  nodes = [one, two, three, four]
})

after(async () => {
  await media[Symbol.asyncDispose]()
  await disk[Symbol.asyncDispose]()
})

/** Every test begins with nodes that are well and empty, and a layout of the first three. */
beforeEach(async () => {
  media.referenced.clear()
  media.where = null
  media.writeQuorum = 2
  for (const node of nodes) {
    await node.stopCopies()
    await rm(join(node.folder, 'copies.db'), { force: true })
    node.events.length = 0
    Object.assign(node, { health: 'well', lie: null, filesInPlace: () => [] })
    await node.blobs.collect(() => false, -60_000)
  }
  media.lay(nodes.slice(0, 3))
})

async function bytesOf(copy: Copy, start = 0, end = copy.size): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of copy.chunks({ start, end })) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const blobPath = (node: MediaNode, hash: BlobHash) => hashPath(join(node.folder, 'blobs'), hash)

async function nodesWith(hash: BlobHash): Promise<MediaNode[]> {
  const sizes = await Promise.all(nodes.map(({ blobs }) => blobs.size(hash)))
  return nodes.filter((_, at) => sizes[at] !== null)
}

/** Waits until every blob that is referenced lies where it belongs, and nowhere else. */
async function settled(what: string): Promise<void> {
  await waitFor(
    async () => {
      for (const hash of media.referenced.keys()) {
        const found = await nodesWith(hash)
        const wanted = media.holders(hash)
        if (found.length !== wanted.length || !found.every((node) => wanted.includes(node))) return false
      }
      return true
    },
    { what, deadline: 60_000, signal },
  )
}

const startAll = (those: readonly MediaNode[] = nodes) => those.map((node) => node.startCopies())

test('[B1] a node reads the copies of others: any range, and nothing where there is none', async () => {
  const [one, two] = nodes
  const bytes = noise(700_000)
  const hash = await media.add(bytes, [two])
  const empty = await media.add(Buffer.alloc(0), [two])
  assert.equal(await one.peers.size(two.id, hash), 700_000)
  using copy = await one.peers.open(two.id, hash, 'listen')
  assert.deepEqual(await bytesOf(copy), bytes)
  assert.deepEqual(await bytesOf(copy, 65_537, 650_001), bytes.subarray(65_537, 650_001))
  using nothing = await one.peers.open(two.id, empty, 'listen')
  assert.equal((await bytesOf(nothing)).length, 0)
  const absent = 'a'.repeat(64)
  assert.equal(await one.peers.size(two.id, absent), null)
  await assert.rejects(one.peers.open(two.id, absent, 'listen'), (error) => isCoded(error, 'BLOB_MISSING'))
  assert.equal(await one.peers.vouch(two.id, absent), false)
  assert.equal(await one.peers.vouch(two.id, hash), true)
})

test('[B1] a copy that is wanted whole is asked for once: its bytes tell its size, and any range is to be had besides', async () => {
  const [one, two] = nodes
  const bytes = noise(2_300_000)
  const hash = await media.add(bytes, [two])
  const damaged = await media.add(noise(50_000), [two])
  const empty = await media.add(Buffer.alloc(0), [two])
  {
    using copy = await one.peers.open(two.id, hash, 'copy', signal)
    assert.equal(copy.size, bytes.length)
    assert.deepEqual(await bytesOf(copy), bytes)
    assert.deepEqual(await bytesOf(copy), bytes)
  }
  {
    // As who goes on where another node fell silent.
    using copy = await one.peers.open(two.id, hash, 'copy', signal)
    assert.deepEqual(await bytesOf(copy, 1_500_001), bytes.subarray(1_500_001))
  }
  using nothing = await one.peers.open(two.id, empty, 'copy', signal)
  assert.equal(nothing.size, 0)
  assert.equal((await bytesOf(nothing)).length, 0)

  await flipByte(blobPath(two, damaged), 30_000)
  assert.equal(await two.blobs.verify(damaged), 'corrupt')
  for (const none of ['a'.repeat(64), damaged])
    await assert.rejects(one.peers.open(two.id, none, 'copy', signal), (error) =>
      isCoded(error, 'BLOB_MISSING'),
    )
})

test('[B2] [B1] a node keeps what it is sent, durably, and refuses bytes of another name', async () => {
  const [one, two] = nodes
  const bytes = noise(300_000)
  const hash = await media.add(bytes, [])
  const blob = { hash, size: bytes.length }
  await one.peers.put(two.id, blob, streamOf(bytes))
  assert.equal(await two.blobs.verify(hash), 'sound')
  const other = { hash: 'b'.repeat(64), size: bytes.length }
  await assert.rejects(one.peers.put(two.id, other, streamOf(bytes)), (error) =>
    isCoded(error, 'BLOB_MISMATCH'),
  )
  assert.deepEqual(await two.hashes(), [hash])
})

test('[B5] [N3] a listener hears the same bytes when nodes fall silent or die in mid-stream', async () => {
  const [one, two, three] = nodes
  const bytes = noise(2_000_000)
  const hash = await media.add(bytes, [two, three])
  const { blobs, elsewhere } = one
  const originals = createOriginals({
    changedOver: () => undefined,
    blobs,
    inPlace: blobs.inPlace,
    elsewhere: {
      copies: (_, given) => elsewhere.copies(hash, given),
      bring: () => Promise.reject(new CodedError('FILE_MISSING')),
    },
    changed: () => undefined,
  })
  const original: Original = {
    title: 'a song',
    fingerprint: '0'.repeat(32),
    blob: hash,
    mediaType: 'audio/flac',
    modifiedAt: undefined,
    places: [],
    elsewhere: [],
  }
  for (const health of ['stalled', 'down'] as const) {
    using body = await originals.open(original, signal)
    const heard: Buffer[] = []
    let at = 0
    // The piece after the first half a megabyte comes from whichever node is left.
    for (const end of [500_000, 500_001, 1_200_000, bytes.length]) {
      if (at === 500_000) {
        const [first] = elsewhere.nodes(hash)
        const serving = nodes.find(({ id }) => id === first)
        assert.ok(serving)
        serving.health = health
      }
      for await (const piece of body.open({ start: at, end }, signal)) heard.push(Buffer.from(piece))
      at = end
    }
    assert.ok(Buffer.concat(heard).equals(bytes), `the node was ${health}`)
    for (const node of nodes) node.health = 'well'
    await waitFor(() => one.peers.size(two.id, hash), { what: 'the node to be asked again' })
    await waitFor(() => one.peers.size(three.id, hash), { what: 'the node to be asked again' })
  }
})

test('[B1] flipped bytes are never sent, and are healed from the copy of another node', async () => {
  const [one, two, three] = nodes
  const bytes = noise(400_000)
  const hash = await media.add(bytes, [one, two])
  await flipByte(blobPath(one, hash), 300_000)
  using copy = await three.peers.open(one.id, hash, 'listen')
  await assert.rejects(bytesOf(copy))
  await waitFor(async () => (await one.blobs.verify(hash)) === 'sound', { what: 'the copy to be healed' })
  assert.deepEqual(await one.blobs.damaged(), [])
  await waitFor(() => three.peers.vouch(one.id, hash), { what: 'the healed copy to be vouched for' })
})

test('[B1] [N1] a copy that is found damaged while nobody has a sound one is made again once somebody has', async () => {
  const [one, two] = nodes
  media.lay([one, two])
  const hash = await media.add(noise(50_000), [one, two])
  startAll()
  await settled('two copies of each blob')
  two.health = 'down'
  await flipByte(blobPath(one, hash), 30_000)
  assert.equal(await one.blobs.verify(hash), 'corrupt')
  assert.equal(await one.blobs.size(hash), null)
  two.health = 'well'
  await waitFor(async () => (await one.blobs.size(hash)) !== null, { what: 'the copy to be made again' })
  assert.equal(await one.blobs.verify(hash), 'sound')
})

test('every node pulls what it lacks, and says when it has all of its layout', async () => {
  const hashes: BlobHash[] = []
  for (let count = 0; count < 30; count += 1) hashes.push(await media.add(noise(10_000 + count), [nodes[0]]))
  const running = startAll()
  await settled('two copies of each blob')
  for (const copies of running.slice(0, 3))
    await waitFor(() => copies.status().filled === media.where?.version, { what: 'the layout to be filled' })
  const { wanted, here, missing, lost, surplus } = running[1]?.status() ?? assert.fail()
  assert.deepEqual([here, missing, lost, surplus], [wanted, 0, 0, 0])
  assert.equal(wanted, hashes.filter((hash) => media.holders(hash).includes(nodes[1])).length)
})

test('[N1] [B4] when a node is lost for good, the others make its copies again', async () => {
  const [one, two, three] = nodes
  for (let count = 0; count < 20; count += 1) await media.add(noise(20_000), nodes.slice(0, 3))
  const running = startAll()
  await settled('two copies of each blob')
  three.health = 'down'
  await three.stopCopies()
  media.lay([one, two])
  for (const copies of running.slice(0, 2)) copies.wake()
  await waitFor(
    async () => {
      for (const hash of media.referenced.keys())
        if (!(await nodesWith(hash)).includes(one) || !(await nodesWith(hash)).includes(two)) return false
      return true
    },
    { what: 'two copies of each blob on the nodes that are left' },
  )
  // It comes back, with what it had: everything is as if it had never gone.
  three.health = 'well'
  media.lay([one, two, three])
  media.fill()
  three.startCopies()
  for (const copies of running.slice(0, 2)) copies.wake()
  await settled('the copies to be where they belong')
})

test('[B4] layouts that roll over all nodes lose nothing, whenever the work is killed', async () => {
  const contents = new Map<BlobHash, Buffer>()
  for (let count = 0; count < 15; count += 1) {
    const bytes = noise(30_000 + count)
    contents.set(await media.add(bytes, nodes.slice(0, 3)), bytes)
  }
  const [one, two, three, four] = nodes
  for (const members of [
    [one, two, three],
    [two, three, four],
    [three, four],
    [four, one, two],
    [one, three],
  ]) {
    media.lay(members)
    for (let kill = 0; kill < 3; kill += 1) {
      startAll()
      await pause(20 * kill)
      for (const node of nodes) await node.stopCopies()
      for (const hash of contents.keys()) {
        const verdicts = await Promise.all(nodes.map(({ blobs }) => blobs.verify(hash)))
        assert.ok(verdicts.includes('sound'))
      }
    }
    startAll()
    await waitFor(
      async () => {
        const found = await Promise.all(
          [...contents.keys()].map(async (hash) => {
            const there = await nodesWith(hash)
            return media.holders(hash).every((node) => there.includes(node))
          }),
        )
        return found.every(Boolean)
      },
      { what: 'the layout to be filled' },
    )
    for (const node of nodes) await node.stopCopies()
    media.fill()
  }
  startAll([one, three])
  for (const [hash, bytes] of contents) {
    using copy = await one.blobs.open(hash)
    assert.ok((await bytesOf(copy)).equals(bytes))
  }
})

test('[B4] two nodes that each count on the other do not both drop their copy', async () => {
  const [one, two] = nodes
  for (let round = 0; round < 10; round += 1) {
    const hash = await media.add(noise(50_000), [one, two])
    const drop = (self: MediaNode, other: MediaNode) =>
      self.blobs.remove(hash, async () => ((await self.peers.vouch(other.id, hash, signal)) ? 1 : 0), signal)
    await Promise.allSettled([drop(one, two), drop(two, one)])
    assert.ok((await nodesWith(hash)).length > 0, `round ${round}`)
  }
})

test('[B4] surplus stays while one of those that should hold it is damaged, silent or gone', async () => {
  const bytes = noise(60_000)
  const hash = await media.add(bytes, nodes.slice(0, 3))
  const [first, second] = media.holders(hash)
  const surplus = nodes.slice(0, 3).find((node) => node !== first && node !== second)
  assert.ok(first && second && surplus)
  await flipByte(blobPath(first, hash), 10_000)
  const copies = surplus.startCopies()
  await waitFor(() => copies.status().surplus === 1, { what: 'the surplus to be noticed' })
  second.health = 'down'
  await waitFor(async () => (await first.blobs.verify(hash)) !== 'corrupt', {
    what: 'the damage to be healed',
  })
  assert.ok((await nodesWith(hash)).includes(surplus))
  second.health = 'well'
  await settled('the surplus to go once both are sound')
  assert.equal(await first.blobs.verify(hash), 'sound')
  assert.equal(await second.blobs.verify(hash), 'sound')
})

test('[B4] outside of the layout a node keeps what it has, unless it is none for music: then it goes, verified', async () => {
  const [one, two, three, four] = nodes
  const bytes = noise(60_000)
  const hash = await media.add(bytes, [four])
  const leaving = four.startCopies()
  await waitFor(() => leaving.status().version === 1 && leaving.status().comparing === null, {
    what: 'the leaving node to compare',
  })
  assert.equal(leaving.status().surplus, 0)
  await four.stopCopies()
  // Without the role it is started anew, and the layout follows.
  media.lay([one, two, three])
  media.fill()
  const apart = four.startCopies(false)
  await waitFor(() => apart.status().surplus === 1, { what: 'the surplus to be noticed' })
  assert.equal(await four.blobs.verify(hash), 'sound', 'the only copy stays')
  startAll([one, two, three])
  await settled('both copies to be made, and the third to go')
  assert.equal(await four.blobs.size(hash), null)
})

test('[B1] a node that sends other bytes is found out, and what is kept comes from an honest one', async () => {
  const [one, two, three, four] = nodes
  const bytes = noise(90_000)
  media.lay(nodes)
  const hash = await media.add(bytes, [])
  const [holder] = media.holders(hash)
  assert.ok(holder)
  const [liar, honest] = [one, two, three, four].filter((node) => node !== holder)
  assert.ok(liar && honest)
  for (const { blobs } of [liar, honest]) await blobs.put(streamOf(bytes))
  liar.lie = (sent) => sent.fill(1)
  honest.health = 'down'
  const copies = holder.startCopies()
  await waitFor(() => holder.events.find(({ kind }) => kind === 'mismatch'), { what: 'the lie to be told' })
  assert.equal(await holder.blobs.size(hash), null)
  honest.health = 'well'
  copies.wake()
  await waitFor(async () => (await holder.blobs.verify(hash)) === 'sound', { what: 'an honest copy' })
})

test('what no node has is said plainly, does not hold up the rest, and is taken when it appears', async () => {
  const [one, two] = nodes
  media.lay([one, two])
  const bytes = noise(5_000)
  const hash = await media.add(bytes, [])
  await media.add(noise(6_000), [one])
  const copies = two.startCopies()
  await waitFor(() => copies.status().lost === 1, { what: 'the loss to be noticed' })
  await waitFor(() => copies.status().filled === media.where?.version, { what: 'the rest to be here' })
  assert.deepEqual(copies.lost(10), [hash])
  assert.deepEqual(
    two.events.flatMap((event) => (event.kind === 'lost' ? [event.hash] : [])),
    [hash],
  )
  one.health = 'down'
  copies.wake()
  await one.blobs.put(streamOf(bytes))
  one.health = 'well'
  copies.wake()
  await waitFor(async () => (await two.blobs.size(hash)) !== null, { what: 'it to be taken' })
  await waitFor(() => copies.status().lost === 0, { what: 'the loss to be over' })
})

test('[B4] files in music folders count as copies, are copied to others, and are never touched', async () => {
  const [one, two, three] = nodes
  const bytes = noise(80_000)
  const root = join(one.folder, 'music')
  await mkdir(root, { recursive: true })
  await writeFile(join(root, 'song.flac'), bytes)
  const { size, mtimeMs } = await stat(join(root, 'song.flac'))
  const file = { root, path: 'song.flac', size, modifiedAt: Math.trunc(mtimeMs) }
  const hash = await one.blobs.inPlace.hash(file)
  one.filesInPlace = (asked) => (asked === hash ? [{ ...file, hash }] : [])
  media.referenced.set(hash, { hash, size, inPlace: [one.id] })
  const running = startAll()
  const other = await waitFor(async () => (await nodesWith(hash))[0], { what: 'a copy on another node' })
  assert.notEqual(other, one)
  for (const copies of running.slice(0, 3))
    await waitFor(() => copies.status().filled === media.where?.version, { what: 'the layout to be filled' })
  assert.equal((await nodesWith(hash)).length, 1)
  assert.equal(await (other === two ? three : two).peers.vouch(one.id, hash), true)
  assert.equal((await stat(join(root, 'song.flac'))).mtimeMs, mtimeMs)
})

test('[B3] an upload is done when its quorum of copies is durable', async () => {
  const [one, two, three] = nodes
  const bytes = noise(120_000)
  const hash = await media.add(bytes, [one])
  const blob = { hash, size: bytes.length }
  const open = () => one.blobs.open(hash)
  const durable = await one.quorum.reach(blob, true, open, signal)
  assert.equal(durable.length, 2)
  assert.deepEqual((await nodesWith(hash)).map(({ id }) => id).toSorted(), durable.toSorted())

  // With a node silent, another one takes its place; a node that holds no media sends both.
  const second = await media.add(noise(50_000), [four()])
  const [best] = media.where?.current.order(second) ?? []
  const silent = nodes.find(({ id }) => id === best)
  assert.ok(silent)
  silent.health = silent === one ? 'down' : 'stalled'
  const placed = await four().quorum.reach(
    { hash: second, size: 50_000 },
    false,
    () => four().blobs.open(second),
    signal,
  )
  assert.equal(placed.length, 2)
  assert.ok(!placed.includes(silent.id) && !placed.includes(four().id))
  silent.health = 'well'

  // With too few nodes nothing is acknowledged, and the next attempt finds what was done.
  two.health = 'down'
  three.health = 'down'
  const third = await media.add(noise(40_000), [one])
  const reach = () =>
    one.quorum.reach({ hash: third, size: 40_000 }, true, () => one.blobs.open(third), signal)
  await assert.rejects(reach(), (error) => isCoded(error, 'COPIES_TOO_FEW'))
  two.health = 'well'
  await waitFor(() => one.peers.size(two.id, hash).then(() => true), { what: 'the node to be asked again' })
  assert.deepEqual(await reach(), [one.id, two.id])

  function four(): MediaNode {
    return nodes[3]
  }
})

test('a full disk takes nothing, says so, and goes on when there is room', async () => {
  const [one, two, three, small] = nodes
  const hashes: BlobHash[] = []
  media.lay([one, small])
  for (let count = 0; count < 3; count += 1) hashes.push(await media.add(noise(1_000_000), [one]))
  await disk.fill(8 * 1024 * 1024)
  const copies = small.startCopies()
  await waitFor(() => copies.status().problem === 'DISK_FULL', { what: 'the full disk to be said' })
  assert.deepEqual(await small.hashes(), [])
  const [hash] = hashes
  assert.ok(hash)
  const reach = one.quorum.reach({ hash, size: 1_000_000 }, true, () => one.blobs.open(hash), signal)
  await assert.rejects(reach, (error) => isCoded(error, 'COPIES_TOO_FEW') && /DISK_FULL/.test(error.message))
  await disk.empty()
  await waitFor(async () => (await small.hashes()).length === 3, { what: 'the copies to be made' })
  await waitFor(() => copies.status().problem === null, { what: 'the trouble to be over' })
  assert.ok(two && three)
})

test('a blob that is needed as a file is brought here at once', async () => {
  const [one, two] = nodes
  const bytes = noise(150_000)
  const hash = await media.add(bytes, [two])
  const copies = one.startCopies()
  await copies.bring(hash, signal)
  using copy = await one.blobs.open(hash)
  assert.deepEqual(await bytesOf(copy), bytes)
  await assert.rejects(copies.bring('c'.repeat(64), signal), (error) => isCoded(error, 'BLOB_MISSING'))
})

/** How far each thread of this process with that name stands back for others. */
async function niceOf(name: string): Promise<number[]> {
  const threads = await readdir('/proc/self/task')
  const stats = await Promise.all(threads.map((thread) => readFile(`/proc/self/task/${thread}/stat`, 'utf8')))
  const own = stats.filter((stat) => stat.includes(`(${name})`))
  return own.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))
}

test('[B1] copies are fetched, hashed and written by a thread that stands back for those who serve', async () => {
  const [one, two, three] = nodes
  const bytes = noise(700_000)
  const hash = await media.add(bytes, [two])
  const folder = join(one.folder, 'fetched')
  const fetched = await one.fetchAside({ hash }, [three.id, two.id], folder, signal)
  assert.equal(fetched.digest.hash, hash)
  assert.deepEqual(fetched.nodes, [two.id])
  assert.deepEqual(await readFile(fetched.path), bytes)
  if (process.platform === 'linux') assert.deepEqual([...new Set(await niceOf('fetch'))], [10])

  await assert.rejects(one.fetchAside({ hash }, [three.id], folder, signal), (error) =>
    isCoded(error, 'BLOB_MISSING'),
  )
  await rm(fetched.path)
  assert.deepEqual(await readdir(folder), [])
})

test('[N3] a fetching that is given up ends at once and leaves nothing behind', async () => {
  const [one, two] = nodes
  const hash = await media.add(noise(150_000), [two])
  const folder = join(one.folder, 'given-up')
  two.health = 'stalled'
  const giveUp = new AbortController()
  const fetching = one.fetchAside({ hash }, [two.id], folder, giveUp.signal)
  await waitFor(async () => (await readdir(folder).catch(() => [])).length === 1, {
    what: 'a file to be begun',
  })
  giveUp.abort(new Error('not needed any more'))
  await assert.rejects(fetching, /not needed any more/)
  assert.deepEqual(await readdir(folder), [])
})

test('[N3] two blobs are on their way at once: neither waits for what the other waits for, and a third one does', async () => {
  const [one, two] = nodes
  two.health = 'stalled'
  for (let count = 0; count < 12; count += 1) await media.add(noise(100_000), [two])
  one.startCopies()
  const begun = async () => (await readdir(join(one.folder, 'blobs', 'tmp')).catch(() => [])).length
  await waitFor(async () => (await begun()) === 2, { what: 'two files to be begun' })
  await pause(100)
  assert.equal(await begun(), 2)
})
