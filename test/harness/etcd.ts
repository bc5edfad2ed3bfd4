import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Certificates } from './certificates.ts'
import { temporaryFolder } from './folder.ts'
import { freePorts } from './ports.ts'
import { standStill } from './stand-still.ts'
import { waitFor } from './wait.ts'

/** An etcd of real processes, for tests. */
export interface EtcdCluster extends AsyncDisposable {
  readonly endpoints: readonly string[]
  readonly members: readonly EtcdMember[]
  /** The member that leads, as the others say. */
  leader(): Promise<EtcdMember>
  /** Deletes every key and every lease, as if it were new, but for its revision. */
  empty(): Promise<void>
}

export interface EtcdMember {
  readonly name: string
  readonly clientUrl: string
  readonly peerUrl: string
  readonly log: () => string
  /** Of the process as it runs now. */
  readonly pid: () => number | undefined
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGSTOP: it lives, and does nothing any more once this has answered. */
  stop(): Promise<void>
  /** SIGCONT. */
  continue(): void
  /** Starts it again on its folder. */
  start(): Promise<void>
}

export interface EtcdClusterOptions {
  readonly members?: 1 | 3
  /** Flags besides ours. */
  readonly flags?: readonly string[]
  /** Whether what was written must outlive a loss of power: fsync makes it slower. */
  readonly durable?: boolean
  /** Files by which it speaks TLS to its clients, and asks them for certificates of the same authority. */
  readonly tls?: Certificates
}

/** Starts a cluster on free ports, with its data in a temporary folder; resolves when it takes writes. */
export async function startEtcdCluster(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Between finding a free port and using it, another program may have taken it.
      if (attempt === 3) throw error
    }
  }
}

async function startOnce({
  members: count = 3,
  flags = [],
  durable = false,
  tls,
}: EtcdClusterOptions): Promise<EtcdCluster> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('etcd'))
  const ports = await freePorts(count * 3)
  const sites = Array.from({ length: count }, (_, each) => ({
    name: `m${each + 1}`,
    clientUrl: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${ports[each * 2]}`,
    metricsUrl: `http://127.0.0.1:${ports[count * 2 + each]}`,
    peerUrl: `http://127.0.0.1:${ports[each * 2 + 1]}`,
  }))
  const initial = sites.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  const members = sites.map((site) =>
    createMember(site, join(folder.path, site.name), [
      `--initial-cluster=${initial}`,
      `--initial-cluster-token=${folder.path}`,
      '--experimental-watch-progress-notify-interval=1s',
      ...(durable ? [] : ['--unsafe-no-fsync']),
      ...(tls === undefined ? [] : tlsFlags(tls)),
      ...flags,
    ]),
  )
  stack.defer(async () => {
    await Promise.all(members.map((member) => member.kill()))
  })
  await Promise.all(members.map((member) => member.start()))
  const kept = stack.move()
  return {
    endpoints: sites.map((site) => site.clientUrl),
    members,
    leader: () => findLeader(members),
    empty: () => empty(sites[0]?.clientUrl ?? ''),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function tlsFlags({ ca, certificate, key }: Certificates): string[] {
  return ['--client-cert-auth', `--trusted-ca-file=${ca}`, `--cert-file=${certificate}`, `--key-file=${key}`]
}

interface Site {
  readonly name: string
  readonly clientUrl: string
  readonly peerUrl: string
  /** Its health is asked here: whoever asks needs no certificate. */
  readonly metricsUrl: string
}

function createMember(site: Site, folder: string, flags: readonly string[]): EtcdMember {
  let child: ChildProcess | undefined
  let log = ''
  const note = (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-100_000)
  }

  async function start() {
    const started = spawn(
      'etcd',
      [
        `--name=${site.name}`,
        `--data-dir=${folder}`,
        `--listen-client-urls=${site.clientUrl}`,
        `--advertise-client-urls=${site.clientUrl}`,
        `--listen-metrics-urls=${site.metricsUrl}`,
        `--listen-peer-urls=${site.peerUrl}`,
        `--initial-advertise-peer-urls=${site.peerUrl}`,
        '--logger=zap',
        '--log-outputs=stderr',
        '--log-level=warn',
        ...flags,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } },
    )
    child = started
    let failure: Error | undefined
    started.on('error', (error) => {
      failure = error
    })
    started.stderr?.on('data', note)
    started.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL')
        console.error(`etcd member ${site.name} ended (${code ?? signal}):\n${log.slice(-3_000)}`)
    })
    await waitFor(
      async () => {
        const running = started.exitCode === null && started.signalCode === null && failure === undefined
        // A member that has ended will not become healthy: the deadline need not pass.
        return !running || (await isHealthy(site.metricsUrl))
      },
      { what: `etcd member ${site.name}`, deadline: 60_000 },
    )
    if (failure !== undefined) throw failure
    if (started.exitCode !== null) throw new Error(`etcd member ${site.name} ended:\n${log}`)
  }

  return {
    ...site,
    log: () => log,
    pid: () => child?.pid,
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      if (child?.pid !== undefined) await standStill(child.pid)
    },
    continue: () => void child?.kill('SIGCONT'),
    start,
  }
}

/** Whether the member has a leader and a majority: its own health check reads through both. */
async function isHealthy(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) })
  return /"health":\s*"true"/.test(await response.text())
}

async function findLeader(members: readonly EtcdMember[]): Promise<EtcdMember> {
  return await waitFor(
    async () => {
      for (const member of members) {
        const status = await ask(member.clientUrl, 'maintenance/status', {}, 5_000).catch(() => undefined)
        if (status !== undefined && status['leader'] === own(status)) return member
      }
      return undefined
    },
    { what: 'a leader of etcd' },
  )
}

function own(status: Record<string, unknown>): unknown {
  const header = status['header']
  return header instanceof Object && 'member_id' in header ? header.member_id : undefined
}

async function empty(url: string): Promise<void> {
  // In the gateway's base64, a zero byte: the first key, and as its end: all that follow.
  await ask(url, 'kv/deleterange', { key: 'AA==', range_end: 'AA==' })
  const { leases } = await ask(url, 'lease/leases')
  for (const { ID } of Array.isArray(leases) ? leases : []) await ask(url, 'lease/revoke', { ID })
}

async function ask(url: string, path: string, body: object = {}, deadline = 60_000) {
  const response = await fetch(`${url}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(deadline),
  })
  const answer: unknown = await response.json()
  if (!response.ok || !(answer instanceof Object)) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  const fields: Record<string, unknown> = { ...answer }
  return fields
}
