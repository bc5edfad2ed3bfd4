import { CodedError } from '../../protocol/errors.ts'
import type { Found } from '../../registry/discovery/hint.ts'
import { joinLineAt } from '../../registry/trust/join-line.ts'
import type { Context } from './context.ts'

/** How long it is listened, in milliseconds: whoever is there is asked three times meanwhile. */
const listenMs = 3_000

/**
 * Lists the machines that say that they are near, and asks the person for what lets this one in; answers the join line
 * of both. Nobody who answers is believed: the person's part names the authority, and only a machine that proves to be
 * of it is told the secret. DISCOVERY_EMPTY, JOIN_LINE_INVALID.
 */
export async function askForJoinLine({
  config,
  terminal,
  signal,
}: Pick<Context, 'config' | 'terminal' | 'signal'>): Promise<string> {
  const { discover } = await import('../../registry/discovery/discovery.ts')
  terminal.note('Looking for machines on this network …')
  const scope =
    config.address !== undefined && /^[\d.]+$/.test(config.address) ? { interface: config.address } : {}
  const found = await discover(AbortSignal.any([signal, AbortSignal.timeout(listenMs)]), scope)
  signal.throwIfAborted()
  if (found.length === 0) throw new CodedError('DISCOVERY_EMPTY')
  for (const line of linesOf(found)) terminal.note(line)
  terminal.note(
    'On one of them, give `npm run hocket -- cluster invite`, and paste here the line that it prints,',
  )
  const typed = await terminal.secret('or what follows its address (it is not shown): ', signal)
  const addresses = found.flatMap((each) => each.addresses.slice(0, 2))
  return joinLineAt(addresses.slice(0, mostAddresses), lineIn(typed))
}

/** A person may paste the whole command. */
const lineIn = (typed: string) => /hocket:\/\/\S+/.exec(typed)?.[0] ?? typed

const mostAddresses = 20

/** The machines by the cluster that they name, each with where it is. */
function linesOf(found: readonly Found[]): string[] {
  const clusters = Map.groupBy(found, ({ cluster }) => cluster)
  return [...clusters].flatMap(([cluster, nodes]) => [
    `Cluster ${cluster.slice(0, 8)}:`,
    ...nodes.map(({ name, addresses }) => `  ${printable(name)} at ${addresses.join(', ')}`),
  ])
}

/** Whoever answers has chosen this name: it must not move the cursor of the person's terminal. */
const printable = (name: string) => name.replace(/\p{C}/gu, '')
