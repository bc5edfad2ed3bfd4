import { hash } from 'node:crypto'

/**
 * The numbers of rows. Where several threads fill parts of one index, they agree upon them: each name has the same
 * number in every part, so that the parts are put together without looking at what refers to what. Where one connection
 * writes alone, every number is null, and SQLite gives the next one.
 */
export interface Numbers {
  /** A number that no other row of the table has. */
  next(table: string): number | null
  /** The number of what has this name in the table. */
  of(table: string, name: string): number | null
}

export const ownNumbers: Numbers = { next: () => null, of: () => null }

/** Bytes of a place: the hash of a name, and its number. */
const bytesOfPlace = 12

/** The memory that threads share, with room for as many names. */
export function shareNumbers(names: number): SharedArrayBuffer {
  const places = 2 ** Math.ceil(Math.log2(Math.max(1_024, names)))
  return new SharedArrayBuffer(places * bytesOfPlace)
}

/**
 * The numbers in shared memory: a table of hashes of names, taken by compare-and-exchange. Half a SHA-1 tells names
 * apart well enough for as many as there can be. Throws where there is no more room.
 */
export function sharedNumbers(memory: SharedArrayBuffer): Numbers {
  const places = memory.byteLength / bytesOfPlace
  const hashes = new BigUint64Array(memory, 0, places)
  const numbers = new Int32Array(memory, places * 8, places)
  const counters = new Map<string, number>()

  function place(name: string): { at: number; isNew: boolean } {
    const digest = hash('sha1', name, 'buffer')
    const own = digest.readBigUInt64LE(0) || 1n
    const start = digest.readUInt32LE(8)
    for (let step = 0; step < places; step += 1) {
      const at = (start + step) % places
      const found = Atomics.compareExchange(hashes, at, 0n, own)
      if (found === 0n || found === own) return { at, isNew: found === 0n }
    }
    throw new Error('there are more names than there is room for')
  }

  function next(table: string): number {
    const counter = counters.get(table) ?? place(`${table}\0`).at
    counters.set(table, counter)
    return Atomics.add(numbers, counter, 1) + 1
  }

  return {
    next,
    of(table, name) {
      const { at, isNew } = place(`${table}\0 ${name}`)
      if (isNew) {
        const made = next(table)
        Atomics.store(numbers, at, made)
        Atomics.notify(numbers, at)
        return made
      }
      // Whoever took the place is about to write the number there.
      while (Atomics.load(numbers, at) === 0) Atomics.wait(numbers, at, 0, 1)
      return Atomics.load(numbers, at)
    },
  }
}
