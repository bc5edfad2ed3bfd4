import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Copy } from '../blobs.ts'
import type { BlobPeers, BlobToSend } from '../peers.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface QuorumOptions {
  readonly self: Id
  readonly peers: Pick<BlobPeers, 'live' | 'size' | 'vouch' | 'put'>
  readonly where: () => Whereabouts | null
  /** The setting: how many copies must be durable. */
  readonly writeQuorum: () => number
}

export interface Quorum {
  /**
   * Resolves when as many copies of the blob are durable as must be before an upload is acknowledged (B3), with the
   * nodes that have one: as far as they live, those where it belongs. `isHere`: this node keeps one itself, durably.
   * `open` opens the bytes that are sent; it is called once for each node. COPIES_TOO_FEW where too few nodes could take
   * one: nothing may be acknowledged then. The copies that were made do no harm: the next attempt finds them, or
   * `Blobs.collect` frees them.
   */
  reach(blob: BlobToSend, isHere: boolean, open: () => Promise<Copy>, signal: AbortSignal): Promise<Id[]>
  /** How many copies that is now. */
  needed(): number
}

/**
 * The quorum is the setting, or as many copies as the layout makes where that is less. It counts the nodes of the layout,
 * not the live ones: with one of two nodes dead, uploads wait until the grace period is over and the layout knows that
 * there is one node only. Otherwise a disk that died with the only copy would take an acknowledged upload with it.
 */
export function createQuorum({ self, peers, where, writeQuorum }: QuorumOptions): Quorum {
  function needed(): number {
    const current = where()?.current
    if (current === undefined) return 1
    return Math.max(1, Math.min(writeQuorum(), current.replicas, current.nodes.length))
  }

  /** Has the node keep it; a node that has it already reads it whole instead. */
  async function place(node: Id, blob: BlobToSend, open: () => Promise<Copy>, signal: AbortSignal) {
    const isThere = (await peers.size(node, blob.hash, signal)) === blob.size
    if (isThere && (await peers.vouch(node, blob.hash, signal))) return
    using copy = await open()
    await peers.put(node, blob, copy.chunks(undefined, signal), signal)
  }

  async function reach(
    blob: BlobToSend,
    isHere: boolean,
    open: () => Promise<Copy>,
    signal: AbortSignal,
  ): Promise<Id[]> {
    const wanted = needed()
    const live = peers.live()
    const order = where()?.current.order(blob.hash) ?? []
    const candidates = order.filter((node) => node !== self && live.includes(node))
    const durable: Id[] = isHere ? [self] : []
    const failures: string[] = []

    /** Takes candidates one after another until one has kept it. */
    async function placeOne(): Promise<void> {
      for (let node = candidates.shift(); node !== undefined; node = candidates.shift()) {
        try {
          await place(node, blob, open, signal)
          durable.push(node)
          return
        } catch (error) {
          signal.throwIfAborted()
          failures.push(`${node}: ${error instanceof CodedError ? error.code : 'failed'}`)
        }
      }
    }

    await Promise.all(Array.from({ length: wanted - durable.length }, placeOne))
    if (durable.length >= wanted) return durable
    const detail = [`${durable.length} of ${wanted}`, ...failures].join('; ')
    throw new CodedError('COPIES_TOO_FEW', detail)
  }

  return { reach, needed }
}
