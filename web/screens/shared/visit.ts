import createClient from 'openapi-fetch'
import type { SharedMusic } from '../../../src/protocol/api/listening.ts'
import { answer } from '../../api/client.ts'
import { RequestFailed, readProblem, unreachable } from '../../api/problem.ts'
import type { paths } from '../../api/schema.d.ts'
import type { Sound } from '../../app/sound.tsx'
import { systemClock } from '../../player/clock.ts'
import { connectMediaSession } from '../../player/media-session.ts'
import { createPlayer } from '../../player/player.ts'
import { loadSettings } from '../../player/settings.ts'

const timeoutMs = 30_000

/** Someone who follows the link of a share: what it shows, and a player whose every address lies under the share. */
export function openShare(token: string): { sound: Sound; read: () => Promise<SharedMusic> } {
  const address = (path: string) => path.replace(/^\/api\//, `/api/shares/${encodeURIComponent(token)}/`)
  const player = createPlayer({
    elements: [new Audio(), new Audio()],
    clock: systemClock,
    // As loud as the person likes it here, and else as whoever shares it has ordered it.
    settings: { ...loadSettings(window.localStorage), repeat: 'off', shuffled: false },
    address,
    probe,
    // Nobody is there to count it for.
    onPlayed: () => {},
  })
  if ('mediaSession' in navigator) connectMediaSession(player, navigator.mediaSession, address)
  return { sound: { player, address }, read: () => readShare(token) }
}

async function readShare(token: string): Promise<SharedMusic> {
  const client = createClient<paths>({
    fetch: (request) =>
      fetch(request, { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {
        throw new RequestFailed(unreachable)
      }),
  })
  client.use({
    async onResponse({ response }) {
      if (!response.ok) throw new RequestFailed(await readProblem(response))
    },
  })
  return await answer(client.GET('/api/shares/{token}', { params: { path: { token } } }))
}

/** The status that the address answers; undefined where the server cannot be reached. */
async function probe(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(8_000) })).status
  } catch {
    return undefined
  }
}
