import { createHash } from 'node:crypto'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import { ratesOf, sharesOf } from './shares.ts'

/** A node that takes part in a layout. */
export interface Place {
  readonly id: Id
  readonly zone: string
  /** More than 0. */
  readonly capacityBytes: number
}

export interface PlacedCopies {
  readonly replicas: number
  readonly nodes: readonly Place[]
}

/** Where copies of blobs belong. The same on every node that knows the same layout; microseconds, without memory. */
export interface Placement {
  readonly replicas: number
  readonly nodes: readonly Place[]
  has(node: Id): boolean
  /**
   * The nodes that are to hold a copy, best first: `replicas` of them where there are as many nodes, in as many zones
   * as there are. `inPlace`: nodes that have the content in a music folder. Those of the layout stand first; their
   * copies count, and only what is missing besides is chosen. A node that is not in the layout does not count.
   */
  holders(hash: BlobHash, inPlace?: readonly Id[]): Id[]
  /** All nodes, in the order in which they are asked to take the blob: at first one in each zone. */
  order(hash: BlobHash): Id[]
}

/**
 * Capacity-weighted rendezvous hashing over zones: each node draws `−ln(h) ÷ rate` for the blob, h being a hash of both
 * in (0, 1), and the smallest draws of as many zones win. A node that joins or leaves changes nobody else's draw, so that
 * little more is moved than must be. The rates come from the capacities: see `ratesOf`.
 */
export function createPlacement({ replicas, nodes: unsorted }: PlacedCopies): Placement {
  const nodes = [...unsorted].sort((one, other) => (one.id < other.id ? -1 : 1))
  const indexOf = new Map(nodes.map(({ id }, index) => [id, index]))
  const zoneNames = [...new Set(nodes.map(({ zone }) => zone))]
  const zones = Uint16Array.from(nodes, ({ zone }) => zoneNames.indexOf(zone))
  const seeds = Int32Array.from(nodes.flatMap(({ id }) => seedsOf(id)))
  const spans = Float64Array.from(nodeRates(nodes, zones, zoneNames.length, replicas), (rate) => 1 / rate)
  const count = nodes.length
  const inZones = Math.min(replicas, zoneNames.length)

  // The best so far, at most one in each zone: kept between calls so that a call makes no garbage.
  const bestNodes = new Int32Array(inZones)
  const bestDraws = new Float64Array(inZones)

  /** Fills `bestNodes` with the best of the zones that are not in `taken`, and answers how many there are. */
  function race(hash: BlobHash, wanted: number, taken: ReadonlySet<number> | null): number {
    const high = Number.parseInt(hash.slice(0, 8), 16) | 0
    const low = Number.parseInt(hash.slice(8, 16), 16) | 0
    let found = 0
    let worst = Number.POSITIVE_INFINITY
    for (let node = 0; node < count; node += 1) {
      const chance = chanceOf(high, low, seeds[2 * node] ?? 0, seeds[2 * node + 1] ?? 0)
      const span = spans[node] ?? 0
      // −ln(h) is at least 1 − h, which is known without a logarithm: most nodes are out of the race by that.
      if ((1 - chance) * span >= worst) continue
      const draw = -Math.log(chance) * span
      if (draw >= worst || taken?.has(zones[node] ?? 0)) continue
      found = insert(node, draw, found, wanted)
      if (found === wanted) worst = bestDraws[wanted - 1] ?? 0
    }
    return found
  }

  /** Puts a node among the best, in order; the worst, or the one of its own zone, makes room. */
  function insert(node: number, draw: number, found: number, wanted: number): number {
    const zone = zones[node]
    let at = 0
    while (at < found && zones[bestNodes[at] ?? 0] !== zone) at += 1
    if (at < found && (bestDraws[at] ?? 0) <= draw) return found
    const grown = at < found ? found : Math.min(found + 1, wanted)
    if (at === found) at = grown - 1
    for (; at > 0 && (bestDraws[at - 1] ?? 0) > draw; at -= 1) {
      bestNodes[at] = bestNodes[at - 1] ?? 0
      bestDraws[at] = bestDraws[at - 1] ?? 0
    }
    bestNodes[at] = node
    bestDraws[at] = draw
    return grown
  }

  function order(hash: BlobHash): Id[] {
    const high = Number.parseInt(hash.slice(0, 8), 16) | 0
    const low = Number.parseInt(hash.slice(8, 16), 16) | 0
    const drawOf = (node: number) =>
      -Math.log(chanceOf(high, low, seeds[2 * node] ?? 0, seeds[2 * node + 1] ?? 0)) * (spans[node] ?? 0)
    const drawn = nodes.map(({ id }, node) => ({ id, zone: zones[node], draw: drawOf(node) }))
    drawn.sort((one, other) => one.draw - other.draw)
    const seen = new Set<number | undefined>()
    const first: Id[] = []
    const rest: Id[] = []
    for (const { id, zone } of drawn) {
      if (seen.has(zone)) rest.push(id)
      else first.push(id)
      seen.add(zone)
    }
    return [...first, ...rest]
  }

  function holders(hash: BlobHash, inPlace: readonly Id[] = []): Id[] {
    const present = inPlace.length === 0 ? [] : inPlace.filter((id) => indexOf.has(id))
    const taken = present.length === 0 ? null : new Set(present.map((id) => zones[indexOf.get(id) ?? 0] ?? 0))
    const chosen = [...present]
    const wanted = inZones - (taken?.size ?? 0)
    if (wanted > 0) {
      const found = race(hash, wanted, taken)
      for (let at = 0; at < found; at += 1) chosen.push(nodes[bestNodes[at] ?? 0]?.id ?? '')
    }
    // Fewer zones than copies: the rest goes to other nodes, wherever they are.
    if (inZones < replicas && chosen.length < Math.min(replicas, count)) {
      const rest = order(hash).filter((id) => !chosen.includes(id))
      chosen.push(...rest.slice(0, replicas - chosen.length))
    }
    return chosen
  }

  return { replicas, nodes, has: (node) => indexOf.has(node), holders, order }
}

/** With enough zones they compete with one another, and in a zone its nodes by capacity; else every node for itself. */
function nodeRates(nodes: readonly Place[], zones: Uint16Array, zoneCount: number, copies: number): number[] {
  if (zoneCount < copies)
    return ratesOf(
      sharesOf(
        nodes.map(({ capacityBytes }) => capacityBytes),
        copies,
      ),
    )
  const capacities = new Array<number>(zoneCount).fill(0)
  for (const [node, { capacityBytes }] of nodes.entries()) {
    const zone = zones[node] ?? 0
    capacities[zone] = (capacities[zone] ?? 0) + capacityBytes
  }
  const rates = ratesOf(sharesOf(capacities, copies))
  return nodes.map(({ capacityBytes }, node) => {
    const zone = zones[node] ?? 0
    return ((rates[zone] ?? 0) * capacityBytes) / (capacities[zone] ?? 1)
  })
}

function seedsOf(id: Id): [number, number] {
  const digest = createHash('sha256').update(id).digest()
  return [digest.readInt32BE(0), digest.readInt32BE(4)]
}

/** A number in (0, 1), evenly distributed, from two words of the blob's name and two of the node's: 32 bits of chance. */
function chanceOf(high: number, low: number, seed: number, otherSeed: number): number {
  let mixed = high ^ seed
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  mixed ^= low ^ otherSeed
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  mixed ^= mixed >>> 16
  return ((mixed >>> 0) + 0.5) / 4_294_967_296
}
