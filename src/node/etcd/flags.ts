/** One member of etcd as we start it. */
export interface MemberSettings {
  /** Unique in the cluster, for people to read. */
  readonly name: string
  /** Holds the member's data; what a removed member left is set aside beside it. */
  readonly folder: string
  /** Where it listens (IP addresses), and where the others find it. */
  readonly listen: { readonly peer: string; readonly client: string }
  readonly advertise: { readonly peer: string; readonly client: string }
  /** Distinguishes this cluster from every other: a member never joins one by mistake. */
  readonly token: string
  readonly tls?: TlsFiles | undefined
}

/** Paths of files in PEM. etcd reads them anew for each connection, but `ca` only when it starts. */
export interface TlsFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  /** The list of certificates that are refused; an open connection stays open when its certificate comes onto it. */
  readonly revocations?: string | undefined
}

export interface Beginning {
  /** Whether the cluster begins with this member, or exists. It matters only for an empty folder. */
  readonly state: 'new' | 'existing'
  /** The members to begin with: `name=peerUrl`. */
  readonly members: readonly string[]
}

/** Bytes of a member's database: the most that etcd recommends. */
export const quota = 8_589_934_592

/**
 * Values for machines at home as well as for servers:
 * - an election starts after 2 s without a heartbeat (each 200 ms), so that a slow disk or a busy processor is not
 *   taken for a death;
 * - a snapshot of the log every 2,000 entries, as etcd keeps that many, and some 5,000 before them, in memory, and an
 *   entry of ours may hold 4 MB;
 * - requests of up to 8 MiB, as a transaction of ours has up to 4 MB of values besides its keys;
 * - history is compacted by the nodes (`store/etcd/history.ts`), not by etcd itself;
 * - a member that comes back does not disturb the others by an election that it cannot win (pre-vote);
 * - peers are known by the cluster's certificate authority, not by the address from which they happen to come.
 */
export function flagsOf(settings: MemberSettings, { state, members }: Beginning): string[] {
  const { listen, advertise, tls } = settings
  return [
    `--name=${settings.name}`,
    `--data-dir=${settings.folder}`,
    `--listen-peer-urls=${listen.peer}`,
    `--listen-client-urls=${listen.client}`,
    `--initial-advertise-peer-urls=${advertise.peer}`,
    `--advertise-client-urls=${advertise.client}`,
    `--initial-cluster=${members.join(',')}`,
    `--initial-cluster-state=${state}`,
    `--initial-cluster-token=${settings.token}`,
    '--heartbeat-interval=200',
    '--election-timeout=2000',
    '--pre-vote=true',
    '--snapshot-count=2000',
    '--max-request-bytes=8388608',
    `--quota-backend-bytes=${quota}`,
    '--experimental-watch-progress-notify-interval=5s',
    '--logger=zap',
    '--log-outputs=stderr',
    '--log-level=warn',
    ...(tls === undefined ? [] : tlsFlags(tls)),
  ]
}

function tlsFlags({ ca, certificate, key, revocations }: TlsFiles): string[] {
  return [
    '--client-cert-auth',
    `--trusted-ca-file=${ca}`,
    `--cert-file=${certificate}`,
    `--key-file=${key}`,
    '--peer-client-cert-auth',
    `--peer-trusted-ca-file=${ca}`,
    `--peer-cert-file=${certificate}`,
    `--peer-key-file=${key}`,
    '--experimental-peer-skip-client-san-verification',
    ...(revocations === undefined
      ? []
      : [`--client-crl-file=${revocations}`, `--peer-crl-file=${revocations}`]),
  ]
}
