import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { readMembership } from '../src/node/cluster/membership.ts'
import { signedIn } from '../src/protocol/api/accounts.ts'
import { joinInvitation } from '../src/protocol/api/cluster.ts'
import { thrift } from './launch/thrift.mjs'

/**
 * What a container runs: `hocket up`, after it has become a node of the cluster, if it is none yet. Then the others
 * (`HOCKET_OTHERS`, addresses of gateways with commas between) are asked for a join line, by the administrator whom all of
 * them were given. Who has `HOCKET_FOUNDS` makes the cluster if none of the others answers; everyone else waits for one.
 */
const settings = z
  .object({
    HOCKET_DATA: z.string().default('/data'),
    HOCKET_OTHERS: z
      .string()
      .default('')
      .transform((text) => text.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim()]))),
    HOCKET_FOUNDS: z.string().optional(),
    HOCKET_ADMIN_USER: z.string().optional(),
    HOCKET_ADMIN_PASSWORD: z.string().optional(),
  })
  .parse(process.env)

const main = join(import.meta.dirname, '..', 'src', 'main.ts')
const ending = new AbortController()
/** How long another node may take to answer, and how long until it is asked again; in milliseconds. */
const askMs = 10_000
const againMs = 2_000

/** Runs the command line to its end and answers its exit code; a signal to us is passed on. */
async function hocket(args: readonly string[], env: NodeJS.ProcessEnv, output: 'inherit' | 'ignore') {
  const child = spawn(process.execPath, [...thrift.flags, main, ...args], {
    env: { ...process.env, ...thrift.env, HOCKET_DATA: settings.HOCKET_DATA, ...env },
    stdio: ['ignore', output, 'inherit'],
  })
  const passOn = () => child.kill('SIGTERM')
  ending.signal.addEventListener('abort', passOn)
  if (ending.signal.aborted) passOn()
  await once(child, 'exit')
  ending.signal.removeEventListener('abort', passOn)
  return child.exitCode ?? 1
}

/** A line from the first of the others that gives one; null where none does. */
async function lineOfOthers(): Promise<string | null> {
  for (const url of settings.HOCKET_OTHERS) {
    try {
      return await lineFrom(url)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      process.stderr.write(`${url} gives no join line yet: ${reason}\n`)
    }
  }
  return null
}

async function lineFrom(url: string): Promise<string> {
  const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(askMs)])
  const post = async (path: string, headers: Record<string, string>, body: unknown) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal,
    }
    const answer = await fetch(new URL(path, url), init)
    if (!answer.ok) throw new Error(`it answered ${answer.status}`)
    return await answer.json()
  }
  const { HOCKET_ADMIN_USER: name, HOCKET_ADMIN_PASSWORD: password } = settings
  const { token } = signedIn.parse(await post('/api/session', {}, { name, password, client: 'container' }))
  const authorization = `Bearer ${token}`
  try {
    return joinInvitation.parse(await post('/api/cluster/invitations', { authorization }, {})).line
  } finally {
    const signOut = { method: 'DELETE', headers: { authorization }, signal }
    await fetch(new URL('/api/session', url), signOut).catch(() => undefined)
  }
}

/** What `up` needs besides, to be a node of the cluster; null where that failed. */
async function membership(): Promise<Record<string, string> | null> {
  if ((await readMembership(settings.HOCKET_DATA)) !== null) return {}
  for (;;) {
    const line = await lineOfOthers()
    // In the environment, where only this account sees it.
    if (line !== null) return { HOCKET_JOIN: line }
    // It prints a join line, which is no matter for the log.
    if (settings.HOCKET_FOUNDS !== undefined)
      return (await hocket(['cluster', 'init'], {}, 'ignore')) === 0 ? {} : null
    await pause(againMs, undefined, { signal: ending.signal })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort())
const isAlone = settings.HOCKET_FOUNDS === undefined && settings.HOCKET_OTHERS.length === 0
const env = isAlone ? {} : await membership()
process.exitCode = env === null ? 1 : await hocket(['up'], env, 'inherit')
