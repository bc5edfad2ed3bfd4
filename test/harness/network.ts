import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createHost, type Host, nameOfNetwork, removeAll, removeLeftovers, removeNow } from './namespaces.ts'

const run = promisify(execFile)

/**
 * A network of its own under the test's control: each host is a network namespace, and all that hosts say to each other
 * goes through one router, which drops or delays what it is told to. It needs root, `ip` and `nft`.
 */
export interface Network extends AsyncDisposable {
  /** Adds a host. The process of the test itself reaches it by its address. */
  host(): Promise<Host>
  /** Until it heals, or is given other troubles, the network has these. */
  trouble(troubles: Troubles): Promise<void>
  /** Ends all of this: the network works. */
  heal(): Promise<void>
}

export interface Troubles {
  /** Nothing that one of `from` sends arrives at one of `to`. The other way is open, unless it is cut as well. */
  readonly cut?: readonly Way[]
  /** How many of a hundred packets between hosts are dropped. */
  readonly lossPercent?: number
  /** How much later everything arrives, in milliseconds; connections of before are reset. Not together with a cut. */
  readonly delayMs?: number
  /** Every connection between hosts is reset as soon as one of them says something. */
  readonly resets?: boolean
}

export interface Way {
  readonly from: readonly Host[]
  readonly to: readonly Host[]
}

/** What the processes of a host are asked at, by others: the ports that a delay is imposed on. */
const delayedPorts = [4_651, 4_652, 4_653] as const
const firstProxyPort = 20_000
/** The parts of the last octet: hosts from 1 on, stand-ins for them in the router from 101 on, the test, the router. */
const standInOffset = 100
const mostHosts = 60
const testOctet = 253
const routerOctet = 254
const delayProgram = join(import.meta.dirname, 'delay.ts')

/** Throws with what is missing where this machine, or who runs the tests, cannot do it. */
export async function createNetwork(): Promise<Network> {
  await removeLeftovers()
  await using stack = new AsyncDisposableStack()
  const base = nameOfNetwork(networks++)
  const router = `${base}r`
  const net = await freeNet()
  const address = (octet: number) => `${net}.${octet}`
  const hosts: Host[] = []
  // A test that dies takes its namespaces with it; one that is killed leaves them to the next that starts.
  const atExit = () => removeNow(base)
  process.once('exit', atExit)
  stack.defer(async () => {
    process.off('exit', atExit)
    await removeAll(base)
  })
  await need(['ip', 'netns', 'add', router])
  const inRouter = (...command: readonly string[]) => need(['ip', 'netns', 'exec', router, ...command])
  await inRouter('ip', 'link', 'set', 'lo', 'up')
  await inRouter('sysctl', '-qw', 'net.ipv4.ip_forward=1')
  await attach(`${base}t`, testOctet, undefined)
  await need(['ip', 'route', 'add', `${net}.0/24`, 'via', address(routerOctet), 'src', address(testOctet)])

  /** A cable between the router and a namespace (undefined: the one in which we run). */
  async function attach(device: string, octet: number, namespace: string | undefined): Promise<void> {
    const inside = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]
    const end = namespace === undefined ? device : 'eth0'
    const at = namespace === undefined ? [] : ['netns', namespace]
    const peer = `v${octet}`
    await need(['ip', 'link', 'add', peer, 'netns', router, 'type', 'veth', 'peer', 'name', end, ...at])
    await inRouter('ip', 'address', 'add', `${address(routerOctet)}/32`, 'dev', peer)
    await inRouter('ip', 'link', 'set', peer, 'up')
    await inRouter('ip', 'route', 'add', `${address(octet)}/32`, 'dev', peer)
    await need([...inside, 'ip', 'address', 'add', `${address(octet)}/32`, 'dev', end])
    await need([...inside, 'ip', 'link', 'set', end, 'up'])
    await need([...inside, 'ip', 'route', 'add', `${address(routerOctet)}/32`, 'dev', end])
  }

  const proxyPort = (octet: number, at: number) => firstProxyPort + octet * 10 + at
  await rules(router, standingRules(address))
  const proxy = await startDelay(router)
  stack.defer(() => proxy.end())

  async function impose(conditions: readonly string[]): Promise<void> {
    await rules(router, [
      'add table inet conditions',
      'delete table inet conditions',
      'table inet conditions {',
      `  set hosts { type ipv4_addr; flags interval; elements = { ${address(1)}-${address(mostHosts)} } }`,
      ...['forward', 'input', 'output'].flatMap((hook) => [
        `  chain ${hook} {`,
        `    type filter hook ${hook} priority 0;`,
        ...conditions.map((condition) => `    ${condition}`),
        '  }',
      ]),
      '}',
    ])
  }

  /** Of what hosts say, and of what the router says for others while it delays; never of what the test says. */
  function losses(percent: number): string[] {
    const lost = `numgen random mod 100 < ${percent} drop`
    return [
      `ip saddr @hosts ip daddr != ${address(testOctet)} ${lost}`,
      `ip daddr @hosts ip saddr != @hosts ip saddr != ${address(testOctet)} ${lost}`,
    ]
  }

  async function setDelay(ms: number): Promise<void> {
    const elements = hosts.flatMap((_host, at) =>
      delayedPorts.map(
        (port, each) => `${address(at + 1)} . ${port} : ${address(routerOctet)} . ${proxyPort(at + 1, each)}`,
      ),
    )
    await rules(router, [
      'flush map ip addresses delayed',
      ...(ms === 0 || elements.length === 0
        ? []
        : [`add element ip addresses delayed { ${elements.join(', ')} }`]),
    ])
    await proxy.delay(ms)
  }

  const owned = stack.move()
  return {
    async host() {
      const octet = hosts.length + 1
      const namespace = `${base}h${octet}`
      await need(['ip', 'netns', 'add', namespace])
      await need(['ip', 'netns', 'exec', namespace, 'ip', 'link', 'set', 'lo', 'up'])
      await attach('', octet, namespace)
      await need(['ip', '-n', namespace, 'route', 'add', 'default', 'via', address(routerOctet)])
      // What the router says for this host comes from an address of its own, and is renamed on its way out.
      await inRouter('ip', 'address', 'add', `${address(octet + standInOffset)}/32`, 'dev', 'lo')
      const added = createHost(address(octet), namespace)
      hosts.push(added)
      await proxy.host({
        address: added.address,
        standIn: address(octet + standInOffset),
        ports: delayedPorts.map((port, at) => ({ port, listen: proxyPort(octet, at) })),
      })
      return added
    },
    async trouble({ cut = [], lossPercent = 0, delayMs = 0, resets = false }) {
      await setDelay(delayMs)
      await impose([
        ...cut.map(({ from, to }) => `ip saddr { ${addresses(from)} } ip daddr { ${addresses(to)} } drop`),
        ...(lossPercent > 0 ? losses(lossPercent) : []),
        // Those that were made past the router's proxy are to be made anew, through it.
        ...(resets || delayMs > 0
          ? ['ip saddr @hosts ip daddr @hosts ip protocol tcp reject with tcp reset']
          : []),
      ])
    },
    async heal() {
      await setDelay(0)
      await impose([])
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

let networks = 0

const addresses = (hosts: readonly Host[]) => hosts.map((host) => host.address).join(', ')

/** Connections to what is `delayed` are led to the proxy; what the stand-in of a host says comes from that host. */
function standingRules(address: (octet: number) => string): string[] {
  const standIns = Array.from(
    { length: mostHosts },
    (_, at) => `${address(at + 1 + standInOffset)} : ${address(at + 1)}`,
  )
  return [
    'table ip addresses {',
    '  map delayed { type ipv4_addr . inet_service : ipv4_addr . inet_service; }',
    `  map standIns { type ipv4_addr : ipv4_addr; elements = { ${standIns.join(', ')} } }`,
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat;',
    `    ip saddr != ${address(testOctet)} dnat ip to ip daddr . tcp dport map @delayed`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat;',
    '    snat to ip saddr map @standIns',
    '  }',
    '}',
  ]
}

/** The proxy that delays, in the router. It ends with us, however we end. */
async function startDelay(router: string) {
  const child = spawn('ip', ['netns', 'exec', router, process.execPath, delayProgram], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  async function tell(message: object): Promise<void> {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(30_000) })
    child.send(message)
    await answered
  }
  return {
    host: (host: object) => tell({ host }),
    delay: (ms: number) => tell({ delay: ms }),
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A /24 for benchmarks (RFC 2544) of which this machine knows nothing. */
async function freeNet(): Promise<string> {
  const { stdout } = await need(['ip', 'route', 'show', 'table', 'all'])
  for (let attempt = 0; attempt < 256; attempt++) {
    const net = `198.18.${(process.pid + attempt) % 256}`
    if (!stdout.includes(`${net}.`)) return net
  }
  throw new Error('there is no free network in 198.18.0.0/16')
}

async function rules(namespace: string, lines: readonly string[]): Promise<void> {
  const child = spawn('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  child.stdin.end(lines.join('\n'))
  await once(child, 'close')
  if (child.exitCode !== 0) throw new Error(`nft refuses:\n${complaint}\n${lines.join('\n')}`)
}

async function need(command: readonly string[]) {
  const [program = '', ...args] = command
  try {
    return await run(program, [...args])
  } catch (cause) {
    const how =
      'be root, or run `unshare --user --map-root-user --net --mount npm test`, and have iproute2 and nftables'
    throw new Error(`this test makes a network of its own, which needs the right to: ${how}`, { cause })
  }
}
