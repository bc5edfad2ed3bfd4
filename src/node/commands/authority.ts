import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type AuthorityStatus, type ClusterStatus, expiresSoon } from '../../protocol/api/cluster.ts'
import type { Context } from './context.ts'
import { patiently, readStatus } from './patience.ts'
import { withRunningNode } from './remote.ts'

const lookEveryMs = 1_000

/** `hocket cluster authority`: until when it holds, and how far its replacement is. */
export async function showAuthority(context: Context): Promise<void> {
  const { terminal, signal } = context
  const status = await withRunningNode(context, (remote) => readStatus(remote, signal))
  terminal.print(`The cluster’s certificate authority: ${authorityText(status.authority, Date.now())}`)
  if (status.authority.renewal !== undefined) terminal.print(waitingText(status))
}

/**
 * `hocket cluster authority renew`: replaces the certificate authority. The cluster does it by itself from the moment
 * that it has begun; this shows how far it is, and may be interrupted and given again. Where only machines are waited
 * for that are silent, it says so and ends.
 */
export async function renewAuthority(context: Context): Promise<void> {
  const { terminal, signal } = context
  await withRunningNode(context, async (remote) => {
    await patiently(
      () => remote.ask('/api/cluster/authority/renewal', z.undefined(), { method: 'POST' }),
      signal,
    )
    terminal.note('The cluster gets a new authority. This may be interrupted; it goes on by itself.')
    let told = ''
    for (;;) {
      const status = await readStatus(remote, signal)
      const { renewal } = status.authority
      if (renewal === undefined) break
      if (renewal.step !== told) terminal.note(`  ${stepWords[renewal.step]}`)
      told = renewal.step
      const waiting = status.nodes.filter(({ id }) => renewal.waitingFor.includes(id))
      if (waiting.length > 0 && waiting.every(({ alive }) => !alive)) {
        terminal.print(waitingText(status))
        return
      }
      await pause(lookEveryMs, undefined, { signal })
    }
    terminal.print(
      'Every machine has a certificate of the new authority, and none trusts the old one any more.',
    )
    terminal.print(
      'Join lines that were made before let nobody in; make new ones with `npm run hocket -- cluster invite`.',
    )
  })
}

const stepWords = {
  trusting: 'It is made known to every machine.',
  reissuing: 'It signs the certificate of every machine.',
  forgetting: 'The old one is forgotten.',
} as const

/** Whom the replacement waits for, and how to go on. */
export function waitingText({ nodes, authority: { renewal } }: ClusterStatus): string {
  const waiting = nodes.filter(({ id }) => renewal?.waitingFor.includes(id))
  const names = waiting.map(({ name, alive }) => (alive ? name : `${name} (silent)`)).join(', ')
  if (waiting.every(({ alive }) => alive)) return `It is being replaced, and waits for ${names}.`
  return `It is being replaced, and waits for ${names}. Start the silent ones, or remove those that are gone for good (\`npm run hocket -- remove NAME\`); it goes on by itself then.`
}

/** Until when the authority holds, with what to do where that is soon. */
export function authorityText(authority: AuthorityStatus, now: number): string {
  const day = new Date(authority.expiresAt).toISOString().slice(0, 10)
  if (!expiresSoon(authority, now)) return `it holds until ${day}`
  return `it holds until ${day}, and then no machine knows another: replace it with \`npm run hocket -- cluster authority renew\``
}
