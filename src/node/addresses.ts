import { hostsOf, withPort } from './cluster/membership.ts'
import type { Config } from './config.ts'

/** Where people reach this node when nobody has said so: at its own address, unless it answers on this machine only. */
export function publicUrlOf(
  config: Config,
  { port, url }: { readonly port: number; readonly url: string },
): string {
  const isOpen = config.host === '0.0.0.0' || config.host === '::'
  return isOpen ? `http://${withPort(hostsOf(config)[0], port)}` : url
}

/** Where the command line of this machine reaches a node that listens on `host`. */
export function loopbackOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
