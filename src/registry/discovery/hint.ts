import { networkInterfaces } from 'node:os'
import { z } from 'zod'
import { nodeName, peerAddress } from '../../protocol/facts/cluster.ts'
import { id } from '../../protocol/ids.ts'

/**
 * What a network says of a node near by. Anyone may say it, so it is a hint where to ask and nothing more: whether it is
 * true is shown by certificates when it is called, and who joins by it needs a join token all the same.
 */
export const hint = z.object({
  cluster: id,
  node: id,
  name: nodeName,
  addresses: z.array(peerAddress).max(8),
})
export type Hint = z.infer<typeof hint>

export interface Found extends Hint {
  readonly via: 'mdns' | 'broadcast'
}

/** Where to look: how a test keeps to the loopback interface, and from what else listens there. */
export interface Scope {
  /** The IPv4 address of the interface; absent: those that the system chooses. */
  readonly interface?: string | undefined
  /** UDP port of broadcasts; absent: the usual one. */
  readonly port?: number | undefined
}

/** The UDP port on which nodes answer broadcasts: the number of the port for nodes. */
export const broadcastPort = 4_651

/** The broadcast addresses of this machine's IPv4 networks, or of the one to keep to. */
export function broadcastAddresses(only: string | undefined): readonly string[] {
  const networks = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return networks.flatMap(({ family, address, netmask, internal }) => {
    if (family !== 'IPv4' || (only === undefined ? internal : address !== only)) return []
    const mask = netmask.split('.').map(Number)
    return [
      address
        .split('.')
        .map((part, at) => (Number(part) | (~(mask[at] ?? 255) & 255)) & 255)
        .join('.'),
    ]
  })
}
