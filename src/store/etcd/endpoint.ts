import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { ChannelOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { CodedError } from '../../protocol/errors.ts'

/** Certificates in PEM. */
export interface Tls {
  /** Whom we trust; absent: whom the system trusts. */
  readonly ca?: string | undefined
  /** What proves us; absent: nothing does, and etcd must not ask for it. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

/** The way to one member. Calls reject with what gRPC says; `failureOf` makes sense of it. */
export interface Endpoint {
  readonly url: string
  /** One request, one answer. */
  unary(method: string, request: Uint8Array, limits: Limits): Promise<Uint8Array>
  /** One request to a method that streams, and its first answer. */
  first(method: string, request: Uint8Array, limits: Limits): Promise<Uint8Array>
  /** One request, and answers until the signal is aborted or the member ends it, which throws either way. */
  stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array>
  close(): void
}

export interface Limits {
  /** Milliseconds. */
  readonly deadline: number
  readonly signal: AbortSignal
  /** A member that knows of no leader is to answer as well. */
  readonly leaderless?: boolean
}

/** The most that one answer may have: pages are cut to less, and etcd sends what is watched in smaller fragments. */
const largestAnswer = 16 * 1_048_576

const options: ChannelOptions = {
  'grpc.max_receive_message_length': largestAnswer,
  'grpc.max_send_message_length': largestAnswer,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // A connection that has died without a word is given up; etcd refuses more frequent pings than one in 5 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
}

const asIs = (bytes: Buffer) => bytes
const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Throws SETTING_INVALID where `url` is no address of a member. Connects with the first call. */
export function createEndpoint(url: string, tls: Tls | undefined): Endpoint {
  const { host, secure } = parse(url)
  if (secure && tls === undefined) throw new CodedError('SETTING_INVALID', `${url} needs certificates`)
  const connected = connect(host, secure ? tls : undefined)
  connected.catch(() => undefined)

  async function unary(
    method: string,
    request: Uint8Array,
    { deadline, signal, leaderless = false }: Limits,
  ): Promise<Uint8Array> {
    const { client, metadata, anyway } = await connected
    signal.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method,
        toBuffer,
        asIs,
        request,
        leaderless ? anyway : metadata,
        { deadline: Date.now() + deadline },
        (error: ServiceError | null, answer?: Uint8Array) => {
          signal.removeEventListener('abort', cancel)
          if (error !== null) reject(error)
          else resolve(answer ?? new Uint8Array(0))
        },
      )
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel)
    })
  }

  async function* stream(
    method: string,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { client, metadata } = await connected
    signal.throwIfAborted()
    const call = client.makeBidiStreamRequest(method, toBuffer, asIs, metadata)
    const cancel = () => call.cancel()
    signal.addEventListener('abort', cancel)
    try {
      call.write(request)
      for await (const answer of call) {
        if (!(answer instanceof Uint8Array)) throw new TypeError('gRPC answered something else than bytes')
        yield answer
      }
      throw new Error('the member has ended the stream')
    } finally {
      signal.removeEventListener('abort', cancel)
      // What the cancelling itself says is of no interest any more.
      call.on('error', () => undefined)
      cancel()
    }
  }

  async function first(
    method: string,
    request: Uint8Array,
    { deadline, signal }: Limits,
  ): Promise<Uint8Array> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(deadline)])
    for await (const answer of stream(method, request, until)) return answer
    throw new Error('the member has ended the stream')
  }

  const close = () => void connected.then(({ client }) => client.close()).catch(() => undefined)
  return { url, unary, first, stream, close }
}

interface Connected {
  readonly client: Client
  /** With it, a member that has lost its leader ends the call instead of letting it wait. */
  readonly metadata: Metadata
  readonly anyway: Metadata
}

/** gRPC is loaded here and not before: a node without etcd does not need it in its memory. */
async function connect(host: string, tls: Tls | undefined): Promise<Connected> {
  const { Client, credentials, Metadata } = await import('@grpc/grpc-js')
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  const target = `dns:///${host}`
  const make = () => {
    if (tls === undefined) return new Client(target, credentials.createInsecure(), options)
    const address = new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, '')
    const security = credentials.createSsl(
      tls.ca === undefined ? null : Buffer.from(tls.ca),
      tls.key === undefined ? null : Buffer.from(tls.key),
      tls.certificate === undefined ? null : Buffer.from(tls.certificate),
      { checkServerIdentity: (_: string, peer: PeerCertificate) => checkServerIdentity(address, peer) },
    )
    // TLS can be told a name to ask for, but no address; the certificate is held against the address all the same.
    const named = isIP(address) === 0 ? {} : { 'grpc.ssl_target_name_override': 'etcd' }
    return new Client(target, security, { ...options, ...named })
  }
  return { client: make(), metadata, anyway: new Metadata() }
}

function parse(url: string): { host: string; secure: boolean } {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new CodedError(
      'SETTING_INVALID',
      `${url} is no address of an etcd member, such as https://host:2379`,
    )
  }
  return { host: `${parsed.hostname}:${parsed.port || '2379'}`, secure: parsed.protocol === 'https:' }
}
