import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { page, trackSummary } from '../../src/protocol/api/catalog.ts'
import type { Client } from '../../test/harness/client.ts'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { startNode } from '../../test/harness/node.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { quantile } from './machine.ts'

const files = 1_000
const scan = z.object({ phase: z.string(), finishedAt: z.number().optional() })

/**
 * Milliseconds until the first byte of a thousand tracks that nobody has played before, one after another, on a node
 * that has just started; and, between them, of `/livez`, which does nothing: what of it is the machine's.
 */
export async function firstBytes(music: string) {
  await using folder = await temporaryFolder('first-byte')
  const smallest = await smallestFile(music)
  for (let number = 0; number < files; number += 1) {
    // What follows the last page of an Ogg stream is no part of the music, but makes another content of it.
    await writeFile(join(folder.path, `${number}.ogg`), Buffer.concat([smallest, randomBytes(32)]))
  }
  await using data = await temporaryFolder('first-byte-data')
  {
    await using scanning = await startNode({ music: [folder.path], data: data.path })
    await scanned(await scanning.administrator())
  }
  await using node = await startNode({ music: [folder.path], data: data.path })
  const ada = await node.administrator()
  const ids = await trackIds(ada)
  await scanned(ada)
  await pause(3_000)
  using agent = disposable(new Agent({ keepAlive: true, maxSockets: 1 }))
  const measure = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const begin = performance.now()
      const headers = { authorization: `Bearer ${ada.token}`, range: 'bytes=0-65535' }
      get(new URL(path, node.baseUrl), { agent: agent.value, headers }, (response) => {
        let first = 0
        response.once('data', () => {
          first = performance.now() - begin
        })
        response.on('data', () => undefined)
        response.once('end', () => resolve(first))
        if (response.statusCode !== 206 && response.statusCode !== 200)
          reject(new Error(`${path} answered ${response.statusCode}`))
      }).once('error', reject)
    })
  const tracks: number[] = []
  const nothing: number[] = []
  for (const id of ids) {
    tracks.push(await measure(`/api/tracks/${id}/audio`))
    nothing.push(await measure('/livez'))
  }
  const times = (all: readonly number[]) => ({ p50: quantile(all, 0.5), p99: quantile(all, 0.99) })
  return { tracks: ids.length, ...times(tracks), most: Math.max(...tracks), livez: times(nothing) }
}

async function smallestFile(folder: string): Promise<Buffer> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ogg'))
  const sized = await Promise.all(
    names.map(async (name) => ({ name, size: (await stat(join(folder, name))).size })),
  )
  const [smallest] = sized.sort((a, b) => a.size - b.size)
  return await readFile(join(folder, smallest?.name ?? ''))
}

async function scanned(client: Client): Promise<void> {
  await waitFor(
    async () => {
      const { phase, finishedAt } = scan.parse((await client.get('/api/scan')).body)
      return (phase === 'idle' && finishedAt !== undefined) || undefined
    },
    { what: 'the music to be scanned and hashed', deadline: 180_000 },
  )
}

async function trackIds(client: Client): Promise<string[]> {
  const ids: string[] = []
  let cursor = ''
  do {
    const { items, next } = page(trackSummary).parse(
      (await client.get(`/api/tracks?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)).body,
    )
    ids.push(...items.map(({ id }) => id))
    cursor = next ?? ''
  } while (cursor !== '')
  return ids
}

function disposable(value: Agent) {
  return { value, [Symbol.dispose]: () => value.destroy() }
}

if (import.meta.main) {
  const [music = '/usr/share/games/wesnoth/1.16/data/core/music'] = process.argv.slice(2)
  console.log(JSON.stringify(await firstBytes(music)))
}
