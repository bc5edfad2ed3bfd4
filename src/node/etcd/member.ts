import { existsSync } from 'node:fs'
import { mkdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { z } from 'zod'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { openMembership } from '../../store/etcd/members.ts'
import { type Beginning, flagsOf, type MemberSettings } from './flags.ts'
import { type EtcdProcess, spawnEtcd } from './program.ts'

export interface EtcdMember extends AsyncDisposable {
  /** The process as it runs now. */
  readonly pid: number | undefined
}

export interface StartOptions extends MemberSettings {
  readonly log: Logger
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds. */
const shortestPause = 500
const longestPause = 30_000
/** One that lived for this long has not failed to start. */
const settled = 60_000
const startDeadline = 60_000

/**
 * Runs one member of etcd as our child until it is disposed of, and starts it anew when it dies, each time a little
 * later. Resolves when it answers, though not every member of a cluster may be there yet. Rejects with ETCD_MISSING, or
 * with ETCD_FAILED where it ends again and again or does not answer within a minute.
 */
export async function runMember(options: StartOptions, beginning: Beginning): Promise<EtcdMember> {
  const ending = new AbortController()
  const { log, signal } = options
  await mkdir(dirname(options.folder), { recursive: true, mode: 0o700 })
  const flags = flagsOf(options, beginning)
  let lastLine = ''
  const line = (text: string) => {
    lastLine = note(log, text) ?? lastLine
  }
  let current: EtcdProcess | undefined = await spawnEtcd(flags, line)
  const supervising = supervise(current)

  async function supervise(first: EtcdProcess) {
    let running = first
    let wait = shortestPause
    while (!ending.signal.aborted) {
      const startedAt = performance.now()
      const why = await running.ended
      current = undefined
      if (ending.signal.aborted) return
      if (performance.now() - startedAt > settled) wait = shortestPause
      log.error({ why, lastLine, againInMs: wait }, 'etcd has ended and is started again')
      await pause(wait, undefined, { signal: ending.signal }).catch(() => undefined)
      wait = Math.min(wait * 2, longestPause)
      if (ending.signal.aborted) return
      running = await spawnEtcd(flags, line)
      current = running
      // While it started, we may have been asked to end.
      if (ending.signal.aborted) await running.end()
    }
  }

  const member: EtcdMember = {
    get pid() {
      return current?.pid
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await current?.end()
      await supervising.catch(() => undefined)
    },
  }
  supervising.catch((error) => log.error({ err: error }, 'etcd cannot be started again'))
  try {
    await answers(options, signal)
    return member
  } catch (error) {
    await member[Symbol.asyncDispose]()
    signal?.throwIfAborted()
    throw new CodedError('ETCD_FAILED', lastLine === '' ? undefined : lastLine, { cause: error })
  }
}

/** Until the member answers, with or without a leader. */
async function answers({ advertise, tls }: MemberSettings, signal: AbortSignal | undefined): Promise<void> {
  using membership = openMembership({ endpoints: [advertise.client], tls: tls && (await readTls(tls)) })
  const end = performance.now() + startDeadline
  for (;;) {
    try {
      await membership.status(advertise.client, signal)
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (performance.now() > end || isCoded(error, 'STORE_REFUSED')) throw error
    }
  }
}

export async function readTls(files: NonNullable<MemberSettings['tls']>) {
  const [ca, certificate, key] = await Promise.all(
    [files.ca, files.certificate, files.key].map((path) => readFile(path, 'utf8')),
  )
  return { ca: ca ?? '', certificate: certificate ?? '', key: key ?? '' }
}

/** Whether the member has begun before: then it is what its folder says, and no flag about its beginning matters. */
export const hasBegun = (folder: string): boolean => existsSync(join(folder, 'member'))

/** Puts aside the data of a member that is one no more: it must never vote again, but a person may want to see it. */
export async function setAside(folder: string): Promise<string> {
  const aside = `${folder}.removed-${new Date().toISOString().replaceAll(':', '-')}`
  await rename(folder, aside)
  return aside
}

const logLine = z.looseObject({ level: z.string(), msg: z.string() })

/** Takes one line of etcd's log into ours; answers it where it tells of trouble. */
function note(log: Logger, text: string): string | undefined {
  const parsed = logLine.safeParse(json(text))
  if (!parsed.success) {
    log.debug({ line: text }, 'etcd')
    return undefined
  }
  const { level, msg, ts: _ts, caller: _caller, stacktrace: _stacktrace, ...rest } = parsed.data
  const severe = /^(error|dpanic|panic|fatal)$/.test(level)
  // What etcd calls a warning (a slow disk, a peer that does not answer) repeats itself by the second.
  log[severe ? 'warn' : 'debug'](rest, `etcd: ${msg}`)
  return severe ? `${msg} ${JSON.stringify(rest)}`.slice(0, 500) : undefined
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
