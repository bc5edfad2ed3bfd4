import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Index } from '../index/index.ts'
import type { ScanStatus } from '../protocol/api/catalog.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Api } from './api.ts'
import { isAdministrator } from './authentication.ts'
import { isLocal } from './local.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes that its connection had carried when it came. */
    sentBefore: number
  }
}

/** What the gateway counts of itself. */
export interface Metrics extends Disposable {
  readonly registry: Registry
  readonly streams: Streams
  readonly answers: Answers
  /** The time from tick to tick of a timer on the thread that serves audio, in nanoseconds: `tickMs` and its delay. */
  readonly eventLoopDelay: ReturnType<typeof monitorEventLoopDelay>
}

/** Every answer that was given. */
export interface Answers {
  record(answer: {
    readonly method: string
    /** The template, so that ids make no series of their own. */
    readonly route: string
    readonly status: number
    readonly milliseconds: number
    /** Headers included. */
    readonly bytes: number
  }): void
}

/** Audio answers that are being sent. */
export interface Streams {
  readonly now: number
  /** Disposed of when the answer has ended. */
  begin(socket: Socket): Stream
  /** One was sent at once, from its first byte to its last. */
  passed(): void
  /** All bytes that were sent to the socket. */
  sentTo(socket: Socket): number
  /** Whether bytes of audio have left in the last moment. A player that is paused keeps its answer, and takes none. */
  readonly areHeard: () => boolean
}

export interface Stream extends Disposable {
  /** Told of bytes that reached the socket past Node, which does not count them. */
  count(bytes: number): void
}

/** How long a listener is still one after the last bytes: players take them in gulps, some seconds apart. */
const gulpMs = 3_000

/** How often the event loop's delay is looked at. */
export const tickMs = 10

/** A figure that another part of the node keeps. A counter only grows; it is read when somebody asks. */
export interface Figure {
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter'
  readonly read: () => number
}

/** How long the store takes to answer; made before the gateway, since other parts ask the store too. */
export interface StoreTimes {
  observe(operation: string, seconds: number, ok: boolean): void
  readonly metric: Histogram
}

export function createStoreTimes(): StoreTimes {
  const metric = new Histogram({
    name: 'hocket_store_request_seconds',
    help: 'From the question to the answer of the store of facts',
    labelNames: ['operation', 'result'],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10],
    registers: [],
  })
  return {
    observe: (operation, seconds, ok) => metric.observe({ operation, result: ok ? 'ok' : 'failed' }, seconds),
    metric,
  }
}

export interface Measured {
  readonly storeTimes: StoreTimes
  /** Those of other parts of the node. */
  readonly figures: readonly Figure[]
  readonly index: Pick<Index, 'progress'>
  readonly scan: () => ScanStatus
  /** Pages that listen on the WebSocket. */
  readonly pages: () => number
  readonly transcodes: () => { readonly running: number; readonly waiting: number }
}

export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const eventLoopDelay = monitorEventLoopDelay({ resolution: tickMs })
  eventLoopDelay.enable()
  const streams = countStreams(registry)
  measureRoles(registry, measured)
  registry.registerMetric(measured.storeTimes.metric)
  for (const figure of measured.figures) show(registry, figure)
  return {
    registry,
    streams,
    answers: countAnswers(registry),
    eventLoopDelay,
    [Symbol.dispose]() {
      eventLoopDelay.disable()
      registry.clear()
    },
  }
}

function countAnswers(registry: Registry): Answers {
  const seconds = new Histogram({
    name: 'hocket_http_request_seconds',
    help: 'From the request to the last byte of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  })
  const sent = new Counter({
    name: 'hocket_http_sent_bytes_total',
    help: 'Bytes of answers, headers included',
    labelNames: ['route'],
    registers: [registry],
  })
  // What a counter and a histogram do for each answer is mostly to find the series of its labels.
  const series = remembered((method, route, status) => ({
    seconds: seconds.labels({ method, route, status }),
    sent: sent.labels({ route }),
  }))
  return {
    record({ method, route, status, milliseconds, bytes }) {
      const found = series(method, route, `${Math.floor(status / 100)}xx`)
      found.seconds.observe(milliseconds / 1_000)
      found.sent.inc(Math.max(0, bytes))
    },
  }
}

/** Times every answer by its route's template, and counts its bytes. */
export function measureRequests(app: FastifyInstance, { answers, streams }: Metrics): void {
  app.decorateRequest('sentBefore', 0)
  app.addHook('onRequest', (request, _reply, done) => {
    request.sentBefore = streams.sentTo(request.raw.socket)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    answers.record({
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
      bytes: streams.sentTo(request.raw.socket) - request.sentBefore,
    })
    done()
  })
}

/** Keeps what `create` made for the same words: methods, routes and kinds of status are few. */
function remembered<Made>(
  create: (...words: [string, string, string]) => Made,
): (...words: [string, string, string]) => Made {
  const known = new Map<string, Made>()
  return (...words) => {
    const key = words.join(' ')
    const made = known.get(key) ?? create(...words)
    known.set(key, made)
    return made
  }
}

/** Open to this machine, where Prometheus often runs; from elsewhere it needs an administrator's token (Bearer). */
export function metricsRoute(app: Api, { registry }: Metrics): void {
  app.get('/metrics', async (request, reply) => {
    if (!isLocal(request) && !isAdministrator(request)) {
      throw new CodedError(request.signedIn === null ? 'NOT_SIGNED_IN' : 'FORBIDDEN')
    }
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

function countStreams(registry: Registry): Streams {
  const answers = new Set<{ readonly socket: Socket }>()
  const pastNode = new WeakMap<Socket, number>()
  const sentTo = (socket: Socket) => socket.bytesWritten + (pastNode.get(socket) ?? 0)
  let sent = 0
  let movedAt = Number.NEGATIVE_INFINITY
  new Gauge({
    name: 'hocket_streams_active',
    help: 'Audio answers that are being sent',
    registers: [registry],
    collect() {
      this.set(answers.size)
    },
  })
  return {
    get now() {
      return answers.size
    },
    begin(socket) {
      const answer = { socket }
      answers.add(answer)
      movedAt = performance.now()
      return {
        count(bytes) {
          pastNode.set(socket, (pastNode.get(socket) ?? 0) + bytes)
        },
        [Symbol.dispose]() {
          answers.delete(answer)
          movedAt = performance.now()
        },
      }
    },
    passed() {
      movedAt = performance.now()
    },
    sentTo,
    areHeard() {
      const now = answers.values().reduce((sum, { socket }) => sum + sentTo(socket), 0)
      if (now !== sent) movedAt = performance.now()
      sent = now
      return performance.now() - movedAt < gulpMs
    },
  }
}

function measureRoles(registry: Registry, { index, scan, pages, transcodes }: Measured): void {
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['hocket_index_revision', 'The revision that the index has reached', () => index.progress.revision],
    [
      'hocket_store_revision',
      "The store's revision as the index last saw it",
      () => index.progress.storeRevision,
    ],
    [
      'hocket_index_behind',
      'Revisions that the index has not applied',
      () => Math.max(0, index.progress.storeRevision - index.progress.revision),
    ],
    ['hocket_index_skipped_facts', 'Facts that no projection could read', () => index.progress.skipped],
    ['hocket_scan_running', '1 while a scan runs', () => (scan().phase === 'idle' ? 0 : 1)],
    ['hocket_scan_files_seen', 'Files that the current or last scan met', () => scan().seen],
    ['hocket_scan_files_read', 'Files that it read', () => scan().read],
    ['hocket_scan_problems', 'Problems that it met', () => scan().problems],
    ['hocket_scan_unhashed_files', 'Files that have not been read whole yet', () => scan().unhashed],
    ['hocket_live_connections', 'Pages that listen on the WebSocket', pages],
    ['hocket_transcodes_running', 'Conversions that run', () => transcodes().running],
    ['hocket_transcodes_waiting', 'Conversions that wait', () => transcodes().waiting],
  ]
  for (const [name, help, read] of gauges) show(registry, { name, help, kind: 'gauge', read })
}

function show(registry: Registry, { name, help, kind, read }: Figure): void {
  if (kind === 'gauge') {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
    return
  }
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}
