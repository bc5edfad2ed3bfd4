import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy } from '../blobs.ts'
import type { BlobPeers, Purpose } from '../peers.ts'
import { likelyHolders, type References, type Whereabouts } from './whereabouts.ts'

/** Copies of a blob on other nodes. */
export interface ElsewhereCopies {
  /**
   * For a listener: ways to open a copy, best first; each gives up within 250 ms (B5), and then all are asked once
   * more with patience, for the only node that has it may have to wake its disk.
   */
  copies(hash: BlobHash, signal: AbortSignal): (() => Promise<Copy>)[]
  /** For healing, in the background: opened one after another, those that can be. Dispose of each. */
  inTurn(hash: BlobHash, signal?: AbortSignal): AsyncGenerator<Copy>
  /** The live nodes that may have it, the most likely first. */
  nodes(hash: BlobHash): Id[]
}

export function createElsewhere(
  peers: Pick<BlobPeers, 'live' | 'open'>,
  where: () => Whereabouts | null,
  references: Pick<References, 'get'>,
): ElsewhereCopies {
  const nodes = (hash: BlobHash) =>
    likelyHolders(where(), references.get(hash) ?? { hash, inPlace: [] }, peers.live())

  return {
    nodes,
    copies(hash, signal) {
      const found = nodes(hash)
      const opening = (purpose: Purpose) => found.map((node) => () => peers.open(node, hash, purpose, signal))
      return [...opening('listen'), ...opening('wait')]
    },
    async *inTurn(hash, signal) {
      for (const node of nodes(hash)) {
        const copy = await peers.open(node, hash, 'copy', signal).catch(() => null)
        signal?.throwIfAborted()
        if (copy !== null) yield copy
      }
    },
  }
}
