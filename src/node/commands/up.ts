import { once } from 'node:events'
import pino, { type Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Context } from './context.ts'

/** `hocket up`: a node, until the signal. */
export async function up({ config, terminal, signal }: Context): Promise<void> {
  const { startNode } = await import('../node.ts')
  await using node = await startNode(config, await createLog(config, terminal.interactive), signal)
  terminal.print(`Hocket is ready at ${node.url}`)
  if (node.setupCode !== null) {
    terminal.print('Open it there to make the administrator’s account.')
    terminal.print(`From another machine, the page asks for this code: ${node.setupCode}`)
  }
  if (!signal.aborted) await once(signal, 'abort')
  terminal.note('Stopping: what has begun may end.')
}

/** JSON lines on standard output; readable ones for a person. */
async function createLog({ logLevel: level }: Config, interactive: boolean): Promise<Logger> {
  if (!interactive) return pino({ level })
  const { default: pretty } = await import('pino-pretty')
  return pino({ level }, pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', sync: true }))
}
