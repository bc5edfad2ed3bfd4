import { z } from 'zod'
import { deviceMade } from '../../src/protocol/api/accounts.ts'
import { administrator, type TestNode } from './node.ts'
import { waitFor } from './wait.ts'

/** An app of the administrator, which asks any node of a cluster. */
export interface App {
  /** In JSON where nothing else is said. */
  ask(
    node: TestNode,
    endpoint: string,
    query?: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>
  /** The only episode of the only podcast, as that node shows it once it has that status. */
  episode(node: TestNode, status: string): Promise<Episode>
}

const episode = z.object({ id: z.string(), status: z.string(), streamId: z.string().optional() })
type Episode = z.infer<typeof episode>
const shown = z.object({
  'subsonic-response': z.object({
    podcasts: z.object({ channel: z.array(z.object({ episode: z.array(episode) })) }),
  }),
})

/** Makes a secret for it at `node`. */
export async function openApp(node: TestNode): Promise<App> {
  const made = await (await node.administrator()).call('POST', '/api/devices', { label: 'an app' })
  const { secret } = deviceMade.parse(made.body)
  const ask: App['ask'] = async ({ baseUrl }, endpoint, query = {}, headers = {}) => {
    const { name: u } = administrator
    const search = new URLSearchParams({ u, p: secret, v: '1.16.1', c: 'test', f: 'json', ...query })
    return await fetch(`${baseUrl}/rest/${endpoint}?${search}`, {
      headers,
      signal: AbortSignal.timeout(30_000),
    })
  }
  return {
    ask,
    episode: (at, status) =>
      waitFor(
        async () => {
          const answer = shown.parse(await (await ask(at, 'getPodcasts')).json())
          const [found] = answer['subsonic-response'].podcasts.channel.flatMap((channel) => channel.episode)
          return found?.status === status && found
        },
        { what: `the episode to be ${status} at ${at.baseUrl}` },
      ),
  }
}
