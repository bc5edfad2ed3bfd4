import { once } from 'node:events'
import pino, { type Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Context } from './context.ts'

/** `hocket up`: a node, until the signal. */
export async function up({ config, terminal, signal }: Context): Promise<void> {
  const { startNode } = await import('../node.ts')
  const log = await createLog(config, terminal.interactive)
  if (config.join !== undefined) await join(config, config.join, terminal, signal)
  const lost = new AbortController()
  await using node = await startNode(config, log, signal, (error) => lost.abort(error))
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
  if (!signal.aborted) throw lost.signal.reason
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

/** JSON lines on standard output; readable ones for a person. */
async function createLog({ logLevel: level }: Config, interactive: boolean): Promise<Logger> {
  if (!interactive) return pino({ level })
  const { default: pretty } = await import('pino-pretty')
  return pino({ level }, pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', sync: true }))
}
