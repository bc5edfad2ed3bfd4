import { setTimeout as pause } from 'node:timers/promises'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Copy } from '../blobs.ts'
import type { BlobPeers } from '../peers.ts'
import { likelyHolders, type References, type Whereabouts } from './whereabouts.ts'

/** Copies of a blob on other nodes. */
export interface ElsewhereCopies {
  /**
   * For a listener: ways to open a copy, best first. Each gives up within 250 ms (B5); when all have, they are asked
   * with patience, for the only node that has it may have to wake its disk.
   */
  copies(hash: BlobHash, signal: AbortSignal): (() => Promise<Copy>)[]
  /** For healing, in the background: opened one after another, those that can be. Dispose of each. */
  inTurn(hash: BlobHash, signal?: AbortSignal): AsyncGenerator<Copy>
  /** The live nodes that may have it, the most likely first. */
  nodes(hash: BlobHash): Id[]
}

/** How long a listener's last hope lasts, in milliseconds: no player waits longer. */
const patientMs = 10_000
const againMs = 200
/** So many nodes are asked at once, the likely ones first: a dead one among them holds up nobody. */
const atOnce = 8
/** How often a stream that has been taken up again may fail once more. */
const patientRounds = 3

export function createElsewhere(
  peers: Pick<BlobPeers, 'live' | 'open'>,
  where: () => Whereabouts | null,
  references: Pick<References, 'get'>,
): ElsewhereCopies {
  const nodes = (hash: BlobHash) =>
    likelyHolders(where(), references.get(hash) ?? { hash, inPlace: [] }, peers.live())

  /** Asks all of them again and again, for a while: one may be waking its disk, or coming back. */
  async function openPatiently(hash: BlobHash, signal: AbortSignal): Promise<Copy> {
    const end = performance.now() + patientMs
    for (;;) {
      const failures: unknown[] = []
      const all = nodes(hash)
      for (let at = 0; at < all.length; at += atOnce) {
        const some = all.slice(at, at + atOnce)
        try {
          return await Promise.any(some.map((node) => peers.open(node, hash, 'wait', signal)))
        } catch (error) {
          signal.throwIfAborted()
          failures.push(...(error instanceof AggregateError ? error.errors : [error]))
        }
      }
      const silence = failures.find((failure) => !isCoded(failure, 'BLOB_MISSING'))
      if (silence === undefined) throw new CodedError('BLOB_MISSING', hash)
      if (performance.now() > end) throw silence
      await pause(againMs, undefined, { signal })
    }
  }

  return {
    nodes,
    copies(hash, signal) {
      const quick = nodes(hash).map((node) => () => peers.open(node, hash, 'listen', signal))
      const patient = Array.from({ length: patientRounds }, () => () => openPatiently(hash, signal))
      return [...quick, ...patient]
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
