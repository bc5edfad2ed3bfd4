import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { startNode } from '../../test/harness/node.ts'
import { waitFor } from '../../test/harness/wait.ts'

export interface Memory {
  /** Resident MB of a whole node at rest, then after someone has signed in, searched and looked through lists. */
  readonly atRest: number
  readonly signedIn: number
  readonly searched: number
  readonly listed: number
  /** A minute after the last request. */
  readonly later: number
  /** The most that it has been, the start included. */
  readonly most: number
}

/** What a whole node takes of memory with a made-up catalog: `node memory.ts <folder>`. */
const [folder = ''] = process.argv.slice(2)
await using data = await temporaryFolder('memory')
mkdirSync(data.path, { recursive: true })
copyFileSync(join(folder, 'store.db'), join(data.path, 'store.db'))
// The first start fills the index, the second what the first had no time for of the compile cache: all that is used.
for (let starts = 0; starts < 2; starts += 1) {
  await using first = await startNode({ data: data.path })
  await waitFor(async () => (await fetch(`${first.baseUrl}/readyz`)).ok || undefined, {
    what: 'the index to be filled',
    deadline: 900_000,
  })
  // Made when the index is whole.
  const someone = await waitFor(() => first.administrator(), { what: 'the administrator' })
  await someone.get('/api/search?q=love')
  await pause(10_000)
}
await using node = await startNode({ data: data.path })
await pause(15_000)
const atRest = resident('VmRSS')
const ada = await node.administrator()
await pause(1_000)
const signedIn = resident('VmRSS')
for (const q of [
  'l',
  'lo',
  'lov',
  'love',
  'the',
  'star',
  'björk',
  'рок',
  'moonlght',
  'symphony no',
  'a',
  'e',
  'x',
  'rain',
]) {
  await ada.get(`/api/search?q=${encodeURIComponent(q)}`)
}
const searched = resident('VmRSS')
for (const path of [
  'albums',
  'albums?order=artist',
  'tracks',
  'artists',
  'genres',
  'albums?order=added',
  'libraries',
]) {
  await ada.get(`/api/${path}`)
}
const listed = resident('VmRSS')
await pause(60_000)
const memory: Memory = {
  atRest,
  signedIn,
  searched,
  listed,
  later: resident('VmRSS'),
  most: resident('VmHWM'),
}
console.log(JSON.stringify(memory))

/** MB of the node's process. */
function resident(field: string): number {
  const status = readFileSync(`/proc/${node.pid}/status`, 'utf8')
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024)
}
