import { join } from 'node:path'
import type { Logger } from 'pino'
import type { DiskBlobs } from '../blobs/disk.ts'
import { sweepTemporary } from '../blobs/temporary.ts'
import { createGateway } from '../gateway/server.ts'
import type { Term } from '../operator/leadership.ts'
import { CodedError } from '../protocol/errors.ts'
import { allRoles } from '../protocol/facts/cluster.ts'
import { type Identity, wasRemoved } from '../registry/trust/identity.ts'
import { loopbackOf, publicUrlOf } from './addresses.ts'
import { ensureAdministrator, filledWithin } from './administrator.ts'
import { type BackupBlobs, backUp } from './backup/backup.ts'
import { readMembership } from './cluster/membership.ts'
import type { Config } from './config.ts'
import { type Foundation, openFoundation } from './foundation.ts'
import { isLocalToken, newLocalToken, publishLocal } from './local.ts'
import { lockDataFolder } from './lock.ts'
import { announceScans, holdOfficeAlone } from './outbox.ts'
import { openServices, type Services } from './services.ts'
import { version } from './version.ts'

/** A running node. Disposing of it lets answers that have begun end, then closes everything in order. */
export interface Node extends AsyncDisposable {
  /** Where people reach it. */
  readonly url: string
  /** What the first-run page asks for from other machines; null once there is an account. */
  readonly setupCode: string | null
}

/** How long a start waits for an index that is being rebuilt; a longer rebuild shows at /readyz instead. */
const fillPatienceMs = 5_000
const webFolder = join(import.meta.dirname, '..', '..', 'dist', 'web')

/**
 * Puts the roles together on one machine, and answers when people can reach them: first what they stand on, then their
 * work, then the gateway. What was opened when something fails is closed again. Errors: those of the lock, the store,
 * the index and the port (PORT_IN_USE).
 */
export async function startNode(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  onLost: (error: Error) => void = () => undefined,
): Promise<Node> {
  await using stack = new AsyncDisposableStack()
  const { data, roles } = config
  stack.use(await lockDataFolder(data))
  await sweepTemporary(data)
  const identity = await whoWeAre(config)
  const foundation = stack.use(await openFoundation({ config, identity, log, onLost }, signal))
  const { store, index, upkeep, outbox, office, part } = foundation
  const services = stack.use(await openServices({ config, identity, log }, foundation))

  const isFilled = await filledWithin(index, fillPatienceMs, signal)
  if (!isFilled) log.info('the index is being filled from the facts; answers are refused until it is whole')
  const { accounts } = services.forGateway
  await ensureAdministrator({ config, log, index, accounts }, isFilled && roles.includes('accounts'), signal)

  const token = newLocalToken()
  const gateway = stack.use(await openGateway({ config, identity, log, token }, foundation, services))
  const { port, url } = await gateway.listen()
  stack.use(await publishLocal(data, { address: `http://${loopbackOf(config.host)}:${port}`, token }))
  const publicUrl = config.publicUrl ?? publicUrlOf(config, { port, url })
  await part?.announce(services.forPeers, roles.includes('gateway') ? publicUrl : null)
  if (part === null) {
    const work = async (term: Term) => {
      await Promise.all([office.deliver(term), office.keepPodcasts(term)])
    }
    stack.use(holdOfficeAlone(store, work, log))
  }
  stack.defer(announceScans(upkeep.scanner, outbox, log))
  upkeep.begin()

  const owned = stack.move()
  return {
    url: config.publicUrl ?? url,
    get setupCode() {
      return gateway.setupCode
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Who this node is in its cluster; null: it stands alone. Errors: NODE_REMOVED, SETTING_INVALID. */
async function whoWeAre({ data, roles }: Config): Promise<Identity | null> {
  const identity = await readMembership(data)
  if (identity !== null && wasRemoved(data)) throw new CodedError('NODE_REMOVED')
  if (identity === null && roles.length < allRoles.length)
    throw new CodedError(
      'SETTING_INVALID',
      '--roles: a machine that stands alone does everything; leave it out',
    )
  return identity
}

interface GatewayParts {
  readonly config: Config
  readonly identity: Identity | null
  readonly log: Logger
  /** What proves the command line of this machine to us. */
  readonly token: string
}

async function openGateway(
  { config, identity, log, token }: GatewayParts,
  { store, storeTimes, blobs, upkeep, part }: Foundation,
  services: Services,
) {
  const { host, port, trustedProxies, publicUrl, data, roles } = config
  const node = identity?.id ?? null
  return await createGateway({
    config: {
      host,
      port,
      trustedProxies,
      publicUrl,
      webFolder,
      version,
      node,
      roles,
      forbiddenFolders: [data],
    },
    log,
    cluster: part?.cluster ?? null,
    gateways: part?.gateways ?? (() => []),
    storeTimes,
    figures: [...services.figures, ...(part?.figures ?? [])],
    ...services.forGateway,
    scanHere: () => upkeep.scanner.status,
    backup: (backupSignal) =>
      backUp({ store, blobs: part?.uploads ?? ownBlobs(blobs), data, version }, backupSignal),
    isOperator: (presented) => isLocalToken(token, presented),
  })
}

/** All that lies in the data folder of a machine that stands alone. */
function ownBlobs(blobs: DiskBlobs): BackupBlobs {
  return { list: (signal) => blobs.list(undefined, signal), open: (hash, signal) => blobs.open(hash, signal) }
}
