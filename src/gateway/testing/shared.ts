import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after } from 'node:test'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import type { TrackSummary } from '../../protocol/api/catalog.ts'
import { openWorld } from './world.ts'

/** The world that all tests of one file share: a file that imports this, or a suite that does, has one. */
export const world = await openWorld()
after(() => world[Symbol.asyncDispose]())

/** The songs that everyone sees, as they are before anything has been done with them. */
export const tracks = await world.tracks(world.guest)

/** What only the administrator sees. */
export const secret = await secretOf()

async function secretOf(): Promise<TrackSummary> {
  const all = await world.tracks(world.administrator)
  return all.find(({ title }) => title === 'Secret') ?? assert.fail('the vault is empty')
}

/** A song that lies in no library. */
export const song = await makeSong()

async function makeSong(): Promise<Buffer> {
  await using folder = await makeMusicFolder()
  return await readFile(
    await folder.add('later.mp3', { title: 'Uploaded', artist: 'Uma', album: 'Up' }, { hertz: 660 }),
  )
}
