import { once } from 'node:events'
import makeMdns, { type MulticastDNS, type ResponsePacket } from 'multicast-dns'
import { splitAddress } from '../trust/address.ts'
import { type Hint, hint, type Scope } from './hint.ts'

/**
 * Discovery by DNS-SD over multicast DNS (RFC 6763, RFC 6762): each node is an instance of `_hocket._tcp.local` that is
 * called by its id, with what a hint says in its TXT record; any browser of services shows it.
 */
const service = '_hocket._tcp.local'
const instanceOf = (node: string) => `${node}.${service}`
/** Seconds; RFC 6762 recommends 120 for records that name a host. */
const ttl = 120

type Records = NonNullable<ResponsePacket['answers']>

export async function advertiseByMdns(
  self: () => Hint,
  scope: Scope,
  onError: (error: unknown) => void,
): Promise<AsyncDisposable> {
  const mdns = await open(scope)
  mdns.on('error', onError)
  mdns.on('query', ({ questions = [] }) => {
    const asked = questions.some(
      ({ name, type }) => ['PTR', 'ANY'].includes(type) && name.toLowerCase() === service,
    )
    if (asked) mdns.respond({ answers: recordsOf(self(), ttl) })
  })
  mdns.respond({ answers: recordsOf(self(), ttl) })
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => mdns.respond({ answers: recordsOf(self(), 0) }, () => resolve()))
      await new Promise<void>((resolve) => mdns.destroy(() => resolve()))
    },
  }
}

/** Asks three times and tells of each answer until the signal ends it. */
export async function askByMdns(
  scope: Scope,
  found: (hint: Hint) => void,
  signal: AbortSignal,
): Promise<void> {
  const mdns = await open(scope)
  mdns.on('error', () => undefined)
  mdns.on('response', (response) => {
    for (const each of hintsIn(response)) found(each)
  })
  const ask = () => mdns.query({ questions: [{ name: service, type: 'PTR' }] })
  ask()
  const again = [300, 1_000].map((ms) => setTimeout(ask, ms))
  try {
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    for (const timer of again) clearTimeout(timer)
    await new Promise<void>((resolve) => mdns.destroy(() => resolve()))
  }
}

/** Rejects where the port of mDNS cannot be had. */
async function open({ interface: only }: Scope): Promise<MulticastDNS> {
  const mdns = makeMdns(only === undefined ? {} : { interface: only, bind: '0.0.0.0' })
  mdns.on('warning', () => undefined)
  await once(mdns, 'ready')
  return mdns
}

function recordsOf({ cluster, node, name, addresses }: Hint, seconds: number): Records {
  const instance = instanceOf(node)
  const texts = [`cluster=${cluster}`, `name=${name}`, ...addresses.map((address) => `at=${address}`)]
  return [
    { type: 'PTR', name: service, ttl: seconds, data: instance },
    {
      type: 'SRV',
      name: instance,
      ttl: seconds,
      data: { port: splitAddress(addresses[0] ?? ':0').port, target: `${node}.local` },
    },
    { type: 'TXT', name: instance, ttl: seconds, data: texts },
    ...addresses
      .map((address) => splitAddress(address).host)
      .filter((host) => /^\d+\.\d+\.\d+\.\d+$/.test(host))
      .map((host) => ({ type: 'A' as const, name: `${node}.local`, ttl: seconds, data: host })),
  ]
}

function hintsIn({ answers = [], additionals = [] }: ResponsePacket): Hint[] {
  return [...answers, ...additionals].flatMap((record) => {
    if (record.type !== 'TXT' || record.ttl === 0) return []
    const name = record.name.toLowerCase()
    if (!name.endsWith(`.${service}`)) return []
    const texts = [record.data].flat().map(String)
    const all = (key: string) =>
      texts.flatMap((text) => (text.startsWith(`${key}=`) ? [text.slice(key.length + 1)] : []))
    const parsed = hint.safeParse({
      cluster: all('cluster')[0],
      node: name.slice(0, -service.length - 1),
      name: all('name')[0],
      addresses: all('at').slice(0, 8),
    })
    return parsed.success ? [parsed.data] : []
  })
}
