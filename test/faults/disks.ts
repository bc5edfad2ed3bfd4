import { createHash } from 'node:crypto'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterNode } from '../harness/cluster.ts'
import { pickOne } from '../harness/random.ts'
import { waitFor } from '../harness/wait.ts'
import { type Fault, hold, machines } from './fault.ts'
import type { Stage } from './stage.ts'

/** What disks do. */
export const disks: readonly Fault[] = [
  {
    name: 'a disk is full',
    weight: 2,
    async run({ disk, node }, random) {
      try {
        await disk.fill()
        await hold(random, 2_000, 6_000)
      } finally {
        await disk.empty()
      }
      return node(2).name
    },
  },
  {
    name: 'a byte of a copy is flipped',
    weight: 4,
    async run(stage, random) {
      const node = stage.node(pickOne(machines, random))
      const damaged = await damage(stage, node, random)
      if (damaged === null) return 'no copy there'
      const isHealed = async () => {
        // What was heard in the last half minute is in memory, and sound there: the disk is read when that is over.
        await hear(stage, node, damaged.track)
        const now = await hashOfFile(damaged.path)
        // One that was surplus, since a machine that should have it was away, need not be made again.
        return (
          now === damaged.hash || (now === null && (await copiesElsewhere(stage, node, damaged.hash)) >= 2)
        )
      }
      await waitFor(isHealed, { what: `the copy ${damaged.path} to be healed`, deadline: 90_000 })
      return `${node.name}, at ${damaged.at} of ${damaged.size}`
    },
  },
]

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Null where there is none. */
async function hashOfFile(path: string): Promise<string | null> {
  return await unlessGone(async () => hashOf(await readFile(path)))
}

/** Null where the file is not there, or not any more: one that is surplus may go at any time. */
async function unlessGone<Value>(work: () => Promise<Value>): Promise<Value | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** How many other machines have it, sound; the first has the songs in its folder of music. */
async function copiesElsewhere(stage: Stage, node: ClusterNode, hash: string): Promise<number> {
  const inPlace = stage.songs.some((song) => song.hash === hash) && node !== stage.node(0)
  const paths = machines
    .map((number) => stage.node(number))
    .filter((other) => other !== node)
    .map(({ data }) => join(data, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash))
  const hashes = await Promise.all(paths.map(hashOfFile))
  return hashes.filter((each) => each === hash).length + (inPlace ? 1 : 0)
}

/** Of a song or an upload that was acknowledged; null where the node has no copy of one. */
async function damage({ ledger, songs }: Stage, { data }: ClusterNode, random: () => number) {
  const tracks = new Map(songs.map(({ id, hash }) => [hash, id]))
  for (const [id, hash] of ledger.uploads) tracks.set(hash, id)
  const entries = await readdir(join(data, 'blobs'), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && tracks.has(entry.name) && !entry.parentPath.endsWith('corrupt'))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
  if (files.length === 0) return null
  const { parentPath, name } = pickOne(files, random)
  const path = join(parentPath, name)
  return await unlessGone(async () => {
    await using file = await open(path, 'r+')
    const { size } = await file.stat()
    const at = Math.floor(random() * size)
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: at })
    buffer.writeUInt8(buffer.readUInt8() ^ (1 << Math.floor(random() * 8)))
    await file.write(buffer, 0, 1, at)
    return { path, hash: name, track: tracks.get(name) ?? '', at, size }
  })
}

/** [B1] Whoever hears it there hears what was uploaded, and the copy is found out. */
async function hear({ ledger, songs, accounts }: Stage, { node }: ClusterNode, track: string): Promise<void> {
  const hash = songs.find(({ id }) => id === track)?.hash ?? ledger.uploads.get(track)
  await waitFor(
    async () => {
      const response = await fetch(`${node.baseUrl}/api/tracks/${track}/audio`, {
        headers: { authorization: `Bearer ${accounts[0]?.token}` },
        signal: AbortSignal.timeout(30_000),
      })
      const found = hashOf(Buffer.from(await response.arrayBuffer()))
      if (response.ok && found !== hash) ledger.violations.push(`[B1] ${track} is not what it was`)
      return response.ok
    },
    { what: `${track} to be read` },
  )
}
