import { homedir, hostname } from 'node:os'
import { delimiter, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'
import { password, userName } from '../protocol/facts/accounts.ts'
import { allRoles, role } from '../protocol/facts/cluster.ts'

const kibi = 1_024
const unitBytes = new Map([
  ['', 1],
  ['k', kibi],
  ['m', kibi ** 2],
  ['g', kibi ** 3],
  ['t', kibi ** 4],
])

/** A number of bytes as people write it: `500M`, `5 GiB`, `5368709120`. Units are powers of 1,024. */
export const byteCount = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,3})?\s*[kmgt]?(i?b)?$/i)
  .transform((text) => {
    const [, number = '0', unit = ''] = /^([\d.]+)\s*([kmgt]?)/i.exec(text) ?? []
    return Math.round(Number(number) * (unitBytes.get(unit.toLowerCase()) ?? 1))
  })
  .pipe(z.int())

const bytes = (fallback: number) =>
  byteCount.default(fallback).describe('a number of bytes, such as 500MiB or 5GiB')

/** An absolute path. A shell expands `~` only at the start of a word, and nobody does in a service's environment. */
const folder = z
  .string()
  .min(1)
  .transform((path) => resolve(/^~(?=\/|$)/.test(path) ? join(homedir(), path.slice(1)) : path))

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.int().max(65_535))
    .default(fallback)
    .describe('a number from 0 to 65535 (0: any that is free)')

const list = (separator: string) => (text: string) =>
  text.split(separator).flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))

/** Every setting, as text from a flag or a variable, with what is expected of it and what holds without it. */
const settings = z.object({
  data: folder.optional().describe('the path of a folder'),
  music: z
    .array(folder)
    .max(1_000)
    .default([])
    .transform((paths) => [...new Set(paths)])
    .describe(`paths of folders, ${delimiter} between them in the variable`),
  port: port(4_650),
  host: z
    .string()
    .regex(/^[\w.:-]{1,255}$/)
    .default('127.0.0.1')
    .describe('an address of this machine: 127.0.0.1, 0.0.0.0 (all of IPv4), :: (all)'),
  /** Where people reach Hocket, without a slash at the end; absent: wherever they ask for it. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('the address under which people reach Hocket: https://music.example.org'),
  /** Reverse proxies whose `X-Forwarded-*` headers are believed. */
  trustedProxies: z
    .string()
    .transform(list(','))
    .pipe(z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])).max(100))
    .default([])
    .describe('addresses or networks of your reverse proxies, commas between them: 127.0.0.1, 10.0.0.0/8'),
  /** How this node is called among the others of its cluster. */
  name: z.string().trim().min(1).max(64).default(hostname()).describe('up to 64 letters'),
  /** What fails together, such as a room or a building; absent: this machine alone. */
  zone: z.string().trim().min(1).max(64).optional().describe('up to 64 letters, such as cellar or office'),
  /** Where other nodes reach this one; absent: its first address on a network. */
  address: z
    .string()
    .regex(/^[\w.:-]{1,255}$/)
    .optional()
    .describe('an address of this machine that the other nodes reach, such as 192.168.1.5'),
  peerPort: port(4_651),
  /** Where etcd listens for its clients; for its other members it takes the port above. */
  etcdPort: port(4_652),
  /** What this node does for the others; a machine that stands alone does everything. */
  roles: z
    .string()
    .transform(list(','))
    .pipe(z.array(role).min(1))
    .default([...allRoles])
    .transform((given) => allRoles.filter((each) => given.includes(each)))
    .describe(`some of ${allRoles.join(', ')}, commas between them`),
  /** An etcd that others run, each address with its scheme; absent: Hocket runs its own. */
  store: z
    .string()
    .regex(/^etcds?:\/\/[\w.:[\]-]+(,[\w.:[\]-]+)*$/)
    .transform((text) => {
      const [scheme = '', hosts = ''] = text.split('://')
      return hosts.split(',').map((host) => `${scheme}://${host}`)
    })
    .optional()
    .describe('etcds://host:2379, with a comma between several; etcd:// where it speaks without TLS'),
  /** What proves such an etcd to us, and us to it: files in PEM. */
  storeAuthority: folder.optional().describe('the path of a file'),
  storeCertificate: folder.optional().describe('the path of a file'),
  storeKey: folder.optional().describe('the path of a file'),
  /** The line that lets a new node into a cluster. */
  join: z
    .string()
    .trim()
    .startsWith('hocket://')
    .max(2_000)
    .optional()
    .describe('the line that `npm run hocket -- cluster invite` printed on a node of the cluster'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('fatal, error, warn, info, debug, trace or silent'),
  /** The administrator whom the first start makes. */
  administratorName: userName.optional().describe('1 to 64 letters, digits, and . _ - @'),
  administratorPassword: password.optional().describe('at least 8 characters'),
  /** Budget for transcoded audio in `data/cache/audio`. */
  audioCacheBytes: bytes(5 * kibi ** 3),
  /** Budget for resized pictures in `data/cache/covers`. */
  coverCacheBytes: bytes(kibi ** 3),
  /** How much each user may upload, unless an administrator says otherwise. */
  uploadQuotaBytes: bytes(20 * kibi ** 3),
})

type Setting = keyof typeof settings.shape

/** Where each setting is read: its variable, and its flag where the command line has one. */
const names: Readonly<Record<Setting, { readonly variable: string; readonly flag?: string }>> = {
  data: { variable: 'HOCKET_DATA', flag: '--data' },
  music: { variable: 'HOCKET_MUSIC', flag: '--music' },
  port: { variable: 'HOCKET_PORT', flag: '--port' },
  host: { variable: 'HOCKET_HOST', flag: '--host' },
  publicUrl: { variable: 'HOCKET_PUBLIC_URL' },
  trustedProxies: { variable: 'HOCKET_TRUSTED_PROXIES' },
  name: { variable: 'HOCKET_NAME', flag: '--name' },
  zone: { variable: 'HOCKET_ZONE', flag: '--zone' },
  address: { variable: 'HOCKET_ADDRESS', flag: '--address' },
  peerPort: { variable: 'HOCKET_PEER_PORT' },
  etcdPort: { variable: 'HOCKET_ETCD_PORT' },
  roles: { variable: 'HOCKET_ROLES', flag: '--roles' },
  store: { variable: 'HOCKET_STORE', flag: '--store' },
  storeAuthority: { variable: 'HOCKET_STORE_CA' },
  storeCertificate: { variable: 'HOCKET_STORE_CERTIFICATE' },
  storeKey: { variable: 'HOCKET_STORE_KEY' },
  join: { variable: 'HOCKET_JOIN', flag: '--join' },
  logLevel: { variable: 'HOCKET_LOG_LEVEL', flag: '--log-level' },
  administratorName: { variable: 'HOCKET_ADMIN_USER' },
  administratorPassword: { variable: 'HOCKET_ADMIN_PASSWORD' },
  audioCacheBytes: { variable: 'HOCKET_AUDIO_CACHE' },
  coverCacheBytes: { variable: 'HOCKET_COVER_CACHE' },
  uploadQuotaBytes: { variable: 'HOCKET_UPLOAD_QUOTA' },
}

/** The variables of the environment that are read. */
export const variables: readonly string[] = Object.values(names).map(({ variable }) => variable)

/** All paths are absolute. */
export type Config = Readonly<
  Omit<z.infer<typeof settings>, 'data' | 'administratorName' | 'administratorPassword'>
> & {
  readonly data: string
  readonly administrator: { readonly name: string; readonly password: string } | undefined
}

/** What the command line said, as it was typed. A flag wins over its variable. */
export interface Flags {
  readonly data?: string | undefined
  readonly music?: readonly string[] | undefined
  readonly port?: string | undefined
  readonly host?: string | undefined
  readonly name?: string | undefined
  readonly zone?: string | undefined
  readonly address?: string | undefined
  readonly roles?: string | undefined
  readonly store?: string | undefined
  readonly join?: string | undefined
  readonly logLevel?: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The settings, from the flags, else the environment, else their defaults. The only place that reads the environment.
 * Throws SETTING_INVALID, which names the flag or variable and what is expected of it.
 */
export function readConfig(flags: Flags, environment: Environment = process.env): Config {
  const parsed = settings.safeParse(textOf(flags, environment))
  if (!parsed.success) {
    const setting = settings.keyof().parse(parsed.error.issues[0]?.path[0])
    throw invalid(setting, flags, `expected is ${settings.shape[setting].description}`)
  }
  const { administratorName, administratorPassword, ...rest } = parsed.data
  const config = {
    ...rest,
    data: parsed.data.data ?? defaultDataFolder(environment),
    administrator: administratorOf(administratorName, administratorPassword),
  }
  const around = config.music.find((path) => contains(path, config.data))
  if (around !== undefined) {
    throw invalid('music', flags, `${around} holds the data folder ${config.data}; they must lie apart`)
  }
  if (config.music.length > 0 && !config.roles.includes('catalog')) {
    throw invalid('music', flags, 'this machine scans no folders; it needs the role catalog, see --roles')
  }
  if ((config.storeCertificate === undefined) !== (config.storeKey === undefined)) {
    const missing = config.storeKey === undefined ? 'storeKey' : 'storeCertificate'
    throw invalid(missing, flags, 'a certificate and its key are given together')
  }
  if (config.store?.some((address) => address.startsWith('etcd://')) && config.storeAuthority !== undefined) {
    throw invalid('store', flags, 'HOCKET_STORE_CA is of use with etcds:// only')
  }
  return config
}

/** The settings as text. A variable that is empty is one that is not set. */
function textOf(flags: Flags, environment: Environment): Record<string, string | readonly string[]> {
  const text: Record<string, string | readonly string[]> = {}
  for (const [setting, { variable }] of Object.entries(names)) {
    const value = environment[variable]
    if (value === undefined || value === '') continue
    text[setting] = setting === 'music' ? list(delimiter)(value) : value
  }
  for (const [setting, value] of Object.entries(flags)) if (value !== undefined) text[setting] = value
  return text
}

function invalid(setting: Setting, flags: Flags, problem: string): CodedError {
  const { flag, variable } = names[setting]
  const typed = Object.entries(flags).some(([name, value]) => name === setting && value !== undefined)
  return new CodedError('SETTING_INVALID', `${typed && flag !== undefined ? flag : variable}: ${problem}`)
}

function administratorOf(name: string | undefined, word: string | undefined): Config['administrator'] {
  if (name === undefined && word === undefined) return undefined
  if (name === undefined || word === undefined) {
    const [given, missing] = name === undefined ? ['PASSWORD', 'USER'] : ['USER', 'PASSWORD']
    throw new CodedError('SETTING_INVALID', `HOCKET_ADMIN_${given} is set, HOCKET_ADMIN_${missing} is not`)
  }
  return { name, password: word }
}

/** Where each system keeps what a program stores for its user. */
function defaultDataFolder(environment: Environment): string {
  const home = homedir()
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'Hocket')
  if (process.platform === 'win32') {
    return join(environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'Hocket')
  }
  const shared = environment.XDG_DATA_HOME
  return join(shared?.startsWith('/') === true ? shared : join(home, '.local', 'share'), 'hocket')
}

function contains(outer: string, inner: string): boolean {
  const path = relative(outer, inner)
  return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && resolve(outer, path) === inner)
}
