import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { listen as portOf } from './listen.ts'

/** Stand-ins for the services outside that make the checks which those document. They listen on this machine only. */
export interface StandIn extends AsyncDisposable {
  readonly url: string
  /** Called before each request is answered; answers the status to fail with, and its headers. */
  disturb(by: ((path: string) => Disturbance | undefined) | undefined): void
}

export interface Disturbance {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The request is taken all the same: only its answer is lost. */
  readonly taken?: boolean
}

interface Asked {
  readonly path: string
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

interface Said {
  readonly status: number
  readonly body: unknown
}

async function standIn(answer: (asked: Asked) => Said): Promise<StandIn> {
  let disturbing: Parameters<StandIn['disturb']>[0]
  const server = createServer((request, response) => {
    read(request)
      .then((body) => {
        const { url = '/', method = 'GET', headers } = request
        const disturbance = disturbing?.(url)
        if (disturbance === undefined || disturbance.taken === true) {
          const said = answer({ path: url, method, headers, body })
          if (disturbance === undefined) return say(response, said.status, {}, JSON.stringify(said.body))
        }
        return say(response, disturbance.status, disturbance.headers ?? {}, disturbance.body ?? '')
      })
      .catch(() => response.destroy())
  })
  const port = await portOf(server)
  return {
    url: `http://127.0.0.1:${port}`,
    disturb(by) {
      disturbing = by
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function say(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

export interface Listen {
  readonly listenedAt: number
  readonly title: string
}

export interface ListenBrainz extends StandIn {
  /** Every listen that was taken, repeats included. */
  readonly listens: readonly Listen[]
  /** What is being played, as was said last. */
  readonly playing: readonly string[]
  /** The kind of each submission, and how many listens it held. */
  readonly submissions: readonly { readonly kind: string; readonly count: number }[]
  /** Tokens that are good, and whose. */
  readonly tokens: Map<string, string>
  /** Titles that are refused. */
  readonly unwanted: Set<string>
}

const listen = z.object({
  listened_at: z.int().optional(),
  track_metadata: z.object({
    artist_name: z.string().min(1),
    track_name: z.string().min(1),
    release_name: z.string().optional(),
    additional_info: z.record(z.string(), z.unknown()),
  }),
})
const submission = z.object({
  listen_type: z.enum(['single', 'import', 'playing_now']),
  payload: z.array(listen).min(1).max(1_000),
})

/** Of its API: the token in the Authorization header, the kinds of submission, a thousand listens, 10,240,000 bytes. */
export async function startListenBrainz(): Promise<ListenBrainz> {
  const listens: Listen[] = []
  const playing: string[] = []
  const submissions: { kind: string; count: number }[] = []
  const tokens = new Map([['good token', 'ada']])
  const unwanted = new Set<string>()

  function take(body: string): Said {
    if (Buffer.byteLength(body) > 10_240_000) return refused(413, 'Payload too large')
    const parsed = submission.safeParse(JSON.parse(body))
    if (!parsed.success) return refused(400, 'Invalid JSON document submitted')
    const { listen_type: kind, payload } = parsed.data
    const titles = payload.map(({ track_metadata }) => track_metadata.track_name)
    if (kind !== 'import' && payload.length > 1) return refused(400, 'Too many listens')
    if (titles.some((title) => unwanted.has(title))) return refused(400, 'A listen is not valid')
    if (kind === 'playing_now') {
      if (payload.some(({ listened_at }) => listened_at !== undefined)) return refused(400, 'listened_at')
      playing.push(...titles)
      return { status: 200, body: { status: 'ok' } }
    }
    if (payload.some(({ listened_at }) => listened_at === undefined)) return refused(400, 'listened_at')
    submissions.push({ kind, count: payload.length })
    for (const { listened_at: listenedAt = 0, track_metadata } of payload)
      listens.push({ listenedAt, title: track_metadata.track_name })
    return { status: 200, body: { status: 'ok' } }
  }

  const server = await standIn(({ path, method, headers, body }) => {
    const account = tokens.get(/^Token (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
    if (path === '/1/validate-token' && method === 'GET') {
      return {
        status: 200,
        body: { code: 200, valid: account !== undefined, ...(account && { user_name: account }) },
      }
    }
    if (path !== '/1/submit-listens' || method !== 'POST') return refused(404, 'Not found')
    if (account === undefined) return refused(401, 'Invalid authorization token.')
    return take(body)
  })
  return { ...server, listens, playing, submissions, tokens, unwanted }
}

const refused = (code: number, error: string): Said => ({ status: code, body: { code, error } })

export interface Lastfm extends StandIn {
  readonly apiKey: string
  readonly sharedSecret: string
  /** Every scrobble that was counted. */
  readonly scrobbles: readonly Listen[]
  readonly playing: readonly string[]
  /** How many scrobbles each batch held. */
  readonly batches: readonly number[]
  /** Tokens that users have allowed, and whose. */
  readonly tokens: Map<string, string>
  /** Keys of sessions that are good, and whose. */
  readonly sessions: Map<string, string>
  /** Scrobbles that are counted before the day is full. */
  allowance: number
}

/** Of its API: signatures, sessions, fifty scrobbles in a batch, the daily limit, errors by number. */
export async function startLastfm(): Promise<Lastfm> {
  const apiKey = 'the key of this server'
  const sharedSecret = 'the secret of this server'
  const scrobbles: Listen[] = []
  const playing: string[] = []
  const batches: number[] = []
  const tokens = new Map([['allowed token', 'ada']])
  const sessions = new Map<string, string>()

  function isSigned(parameters: URLSearchParams): boolean {
    const names = [...parameters.keys()].filter((name) => name !== 'api_sig' && name !== 'format').sort()
    const text = names.map((name) => name + parameters.get(name)).join('')
    return (
      createHash('md5')
        .update(text + sharedSecret)
        .digest('hex') === parameters.get('api_sig')
    )
  }

  function getSession(parameters: URLSearchParams): Said {
    const token = parameters.get('token') ?? ''
    const name = tokens.get(token)
    if (name === undefined) return fault(14, 'Unauthorized Token - This token has not been authorized')
    tokens.delete(token)
    const key = `session of ${name}`
    sessions.set(key, name)
    return { status: 200, body: { session: { subscriber: 0, name, key } } }
  }

  function scrobble(parameters: URLSearchParams): Said {
    const given = [...parameters.keys()].flatMap((name) => /^timestamp\[(\d+)\]$/.exec(name)?.[1] ?? [])
    if (given.length > 50 || given.length === 0) return fault(6, 'Invalid parameters')
    batches.push(given.length)
    const each = given.map((index) => {
      const title = parameters.get(`track[${index}]`)
      const artist = parameters.get(`artist[${index}]`)
      if (title === null || artist === null) return ignored(1)
      if (server.allowance <= 0) return ignored(5)
      server.allowance -= 1
      scrobbles.push({ listenedAt: Number(parameters.get(`timestamp[${index}]`)), title })
      return ignored(0)
    })
    return {
      status: 200,
      body: {
        scrobbles: { scrobble: each.length === 1 ? each[0] : each, '@attr': { accepted: each.length } },
      },
    }
  }

  const listening = await standIn(({ method, body }) => {
    const parameters = new URLSearchParams(body)
    if (method !== 'POST' || parameters.get('format') !== 'json') return fault(5, 'Invalid format')
    if (parameters.get('api_key') !== apiKey) return fault(10, 'Invalid API key')
    if (!isSigned(parameters)) return fault(13, 'Invalid method signature supplied')
    if (parameters.get('method') === 'auth.getSession') return getSession(parameters)
    if (!sessions.has(parameters.get('sk') ?? ''))
      return fault(9, 'Invalid session key - Please re-authenticate')
    switch (parameters.get('method')) {
      case 'track.scrobble':
        return scrobble(parameters)
      case 'track.updateNowPlaying':
        playing.push(parameters.get('track') ?? '')
        return { status: 200, body: { nowplaying: {} } }
      case 'user.getInfo':
        return { status: 200, body: { user: { name: sessions.get(parameters.get('sk') ?? '') } } }
      default:
        return fault(3, 'Invalid Method')
    }
  })
  const server: Lastfm = {
    ...listening,
    apiKey,
    sharedSecret,
    scrobbles,
    playing,
    batches,
    tokens,
    sessions,
    allowance: Number.POSITIVE_INFINITY,
  }
  return server
}

const ignored = (code: number) => ({ ignoredMessage: { code: String(code), '#text': '' } })
const fault = (error: number, message: string): Said => ({ status: 403, body: { error, message } })

export interface Received {
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Receiver extends StandIn {
  /** Every message whose signature is good, repeats included, in their order. */
  readonly received: readonly Received[]
  /** Messages that were not signed with the secret. */
  readonly forged: number
  /** What the messages are signed with, once it is known; a test message that comes before is taken on trust. */
  secret: string | undefined
}

const message = z.object({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
})

/** Verifies as Standard Webhooks says: the HMAC of id, time and body, and a time that is not old. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  let forged = 0
  const listening = await standIn(({ headers, body }) => {
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) =>
      String(headers[`webhook-${name}`]),
    )
    const isRecent = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300
    const key = Buffer.from((receiver.secret ?? '').replace(/^whsec_/, ''), 'base64')
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    const isGood = receiver.secret === undefined || signature === `v1,${expected}`
    if (!isRecent || !isGood) {
      forged += 1
      return { status: 400, body: {} }
    }
    const { type, data } = message.parse(JSON.parse(body))
    received.push({ id: String(id), type, data })
    return { status: 204, body: {} }
  })
  const receiver: Receiver = {
    ...listening,
    received,
    get forged() {
      return forged
    },
    secret: undefined,
  }
  return receiver
}
