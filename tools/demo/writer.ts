import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { playlistDetail } from '../../src/protocol/api/listening.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { DemoCluster } from './cluster.ts'

export interface Writer {
  /** Stops, and answers the ids of what was acknowledged. */
  finish(): Promise<ReadonlySet<string>>
  /** How many of these not every gateway knows, after some time to catch up. */
  lost(acknowledged: ReadonlySet<string>): Promise<number>
}

/** Milliseconds. */
const betweenWrites = 50
const patience = 5_000
const catchUp = 30_000
const playlists = z.object({ items: z.array(z.object({ id: z.string() })) })

/** Someone who makes one playlist after another, at each gateway in turn, and remembers those that were acknowledged. */
export function startWriter({ machines, at }: DemoCluster, signal: AbortSignal): Writer {
  const stopping = new AbortController()
  const writing = write()
  writing.catch(() => undefined)

  async function write(): Promise<ReadonlySet<string>> {
    const acknowledged = new Set<string>()
    for (let number = 0; !stopping.signal.aborted; number++) {
      signal.throwIfAborted()
      const machine = machines[number % machines.length]
      // One that dies meanwhile, or that has lost its etcd, acknowledges nothing: nothing is promised then.
      const id = machine && (await make(`Playlist ${number}`, machine).catch(() => undefined))
      if (id !== undefined) acknowledged.add(id)
      await pause(betweenWrites, undefined, { signal })
    }
    return acknowledged
  }

  async function make(name: string, machine: (typeof machines)[number]): Promise<string | undefined> {
    const response = await at(machine).fetch('/api/playlists', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    })
    return response.ok ? playlistDetail.parse(await response.json()).id : undefined
  }

  return {
    finish() {
      stopping.abort()
      return writing
    },
    async lost(acknowledged) {
      const missing = new Set<string>()
      for (const machine of machines) {
        let unknown = acknowledged
        const isThere = async () => {
          const { items } = playlists.parse((await at(machine).get('/api/playlists')).body)
          unknown = acknowledged.difference(new Set(items.map(({ id }) => id)))
          return unknown.size === 0
        }
        await waitFor(isThere, { what: 'every write', deadline: catchUp, signal }).catch(() =>
          signal.throwIfAborted(),
        )
        for (const id of unknown) missing.add(id)
      }
      return missing.size
    },
  }
}
