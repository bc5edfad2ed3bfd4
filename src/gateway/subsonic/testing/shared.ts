import { after } from 'node:test'
import { openClient } from './client.ts'
import { everything } from './requests.ts'
import { openSubsonicWorld } from './world.ts'

/** The world that all tests of one file share: a file that imports this, or a suite that does, has one. */
export const world = await openSubsonicWorld()
after(() => world[Symbol.asyncDispose]())

/** Another plain user, who has listened to nothing, and marked and shared nothing, when the tests of people begin. */
export const pia = await openClient(world.edge.url, await world.edge.person('pia'), 'pia')

/** What is in it. (A suite that waited for this itself would let the next one begin.) */
export const ids = await everything(world.guest)
