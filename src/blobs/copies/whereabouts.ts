import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Layout } from '../placement/layout.ts'
import { createPlacement, type Placement } from '../placement/placement.ts'

/** A blob that facts refer to. */
export interface Referenced {
  readonly hash: BlobHash
  readonly size: number
  /** The nodes that have its content in a music folder. */
  readonly inPlace: readonly Id[]
}

/** Which blobs the facts refer to; only as good as the index behind it. Milliseconds at most, on the calling thread. */
export interface References {
  get(hash: BlobHash): Referenced | null
  /** Those after the name `after`, in the order of their names, at most `limit`. */
  page(after: BlobHash | undefined, limit: number): readonly Referenced[]
}

/** The blobs of both; a blob that both refer to is as `first` knows it. */
export function joinReferences(first: References, second: References): References {
  return {
    get: (hash) => first.get(hash) ?? second.get(hash),
    page(after, limit) {
      const all = new Map(second.page(after, limit).map((blob) => [blob.hash, blob]))
      for (const blob of first.page(after, limit)) all.set(blob.hash, blob)
      return [...all.values()].sort((one, other) => (one.hash < other.hash ? -1 : 1)).slice(0, limit)
    },
  }
}

/** Where copies are to be, and where they may still be. */
export interface Whereabouts {
  readonly version: number
  readonly current: Placement
  /** The last layout that was filled, while the current one is not. */
  readonly previous: Placement | null
}

export function whereaboutsOf(layout: Layout): Whereabouts {
  const { version, previous } = layout
  return {
    version,
    current: createPlacement(layout),
    previous: previous === null ? null : createPlacement(previous),
  }
}

/** Every node that may have a copy, the most likely first. */
export function likelyHolders(
  where: Whereabouts | null,
  { hash, inPlace }: Pick<Referenced, 'hash' | 'inPlace'>,
  live: readonly Id[],
): Id[] {
  const likely =
    where === null
      ? []
      : [...where.current.holders(hash, inPlace), ...(where.previous?.holders(hash, inPlace) ?? [])]
  const all = new Set([...likely, ...inPlace, ...live])
  return [...all].filter((node) => live.includes(node))
}

/** Whether a copy is to be here, by the current layout or by the one before it, which counts until that is filled. */
export function belongsTo(node: Id, where: Whereabouts, { hash, inPlace }: Referenced): boolean {
  const isHolder = (placement: Placement | null) => placement?.holders(hash, inPlace).includes(node) ?? false
  return isHolder(where.current) || isHolder(where.previous)
}

/**
 * How many copies there should be besides the one that is missing at `node`: by the layout before, without the nodes
 * that are lost or leave. What has the fewest is repaired first, so that a drained or dead node comes before a new one.
 */
export function urgencyOf(node: Id, where: Whereabouts, { hash, inPlace }: Referenced): number {
  const placement = where.previous ?? where.current
  const others = placement.holders(hash, inPlace).filter((id) => id !== node && where.current.has(id))
  return Math.min(others.length, 9)
}
