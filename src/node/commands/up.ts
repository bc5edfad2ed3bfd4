import { once } from 'node:events'
import pino, { type Logger } from 'pino'
import { errorCodes, isCoded } from '../../protocol/errors.ts'
import { noteRemoved } from '../../registry/trust/identity.ts'
import type { Config } from '../config.ts'
import { calmHooks } from './calm-log.ts'
import type { Context } from './context.ts'

/** `hocket up`: a node, until the signal. */
export async function up(
  { config, terminal, signal }: Context,
  options: { readonly discover?: boolean } = {},
): Promise<void> {
  const { startNode } = await import('../node.ts')
  const log = await createLog(config, terminal.interactive)
  const line =
    config.join ?? (options.discover === true ? await lineFromNearby(config, terminal, signal) : null)
  if (line !== null) await join(config, line, terminal, signal)
  const lost = new AbortController()
  const told = async (error: unknown): Promise<never> => {
    if (isCoded(error, 'NODE_REMOVED')) {
      log.fatal({ code: error.code }, errorCodes.NODE_REMOVED.title)
      await noteRemoved(config.data)
    }
    throw error
  }
  await using node = await startNode(config, log, signal, (error) => lost.abort(error)).catch(told)
  terminal.print(`Hocket is ready at ${node.url}`)
  if (!config.roles.includes('gateway'))
    terminal.print(
      `It is no gateway, so it serves only the command line of this machine. It is: ${config.roles.join(', ')}.`,
    )
  if (node.setupCode !== null) {
    terminal.print('Open it there to make the administrator’s account.')
    terminal.print(`From another machine, the page asks for this code: ${node.setupCode}`)
  }
  const either = AbortSignal.any([signal, lost.signal])
  if (!either.aborted) await once(either, 'abort')
  terminal.note('Stopping: what has begun may end.')
  if (!signal.aborted) await told(lost.signal.reason)
}

/** Makes this data folder a node of the cluster that the line names; one that is a node already goes on as it is. */
async function join(
  config: Config,
  line: string,
  terminal: Context['terminal'],
  signal: AbortSignal,
): Promise<void> {
  const { joinCluster } = await import('../cluster/membership.ts')
  const { id } = await joinCluster(config, line, signal)
  terminal.note(`This machine is node ${config.name} (${id}) of the cluster.`)
}

/** What lets this machine into a cluster near by; null where it is a node already. */
async function lineFromNearby(
  config: Config,
  terminal: Context['terminal'],
  signal: AbortSignal,
): Promise<string | null> {
  const { readMembership } = await import('../cluster/membership.ts')
  if ((await readMembership(config.data)) !== null) return null
  const { askForJoinLine } = await import('./discover.ts')
  return await askForJoinLine({ config, terminal, signal })
}

/** JSON lines on standard output; readable ones for a person. */
async function createLog({ logLevel: level }: Config, interactive: boolean): Promise<Logger> {
  if (!interactive) return pino({ level, hooks: calmHooks() })
  const { default: pretty } = await import('pino-pretty')
  return pino(
    { level, hooks: calmHooks() },
    pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', sync: true }),
  )
}
