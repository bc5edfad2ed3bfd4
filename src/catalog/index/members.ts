import type { DatabaseSync } from 'node:sqlite'
import { bytes, integer, optional, written } from '../../store/row.ts'

/**
 * Which items stand in a list, in whatever order: what a walk at random has to know of whatever it meets. Ids are cut
 * into chunks, and of a chunk there is a bit for each id or, where few are members, the numbers of these in the chunk.
 */

/** Ids in a chunk. The bits take 512 bytes, and seven such rows fit a page of SQLite's. */
const chunkSize = 4_096
const chunkBytes = chunkSize / 8
/** As many numbers of two bytes take as much as the bits. */
const fewest = chunkBytes / 2

export interface MemberWriter {
  /** An item comes into a list, or leaves it. */
  count(edit: {
    readonly list: number
    readonly item: number
    readonly scope: number
    readonly delta: 1 | -1
  }): void
  /** Writes what has been counted since. */
  finish(): void
}

export function openMembers(db: DatabaseSync): MemberWriter {
  const read = db.prepare('SELECT items FROM member WHERE list = ? AND chunk = ? AND scope = ?')
  const write = db.prepare('INSERT OR REPLACE INTO member (list, chunk, scope, items) VALUES (?, ?, ?, ?)')
  const drop = db.prepare('DELETE FROM member WHERE list = ? AND chunk = ? AND scope = ?')
  /** By chunk, what is added to the entries of each of its ids. */
  const chunks = new Map<
    string,
    { key: [list: number, chunk: number, scope: number]; deltas: Map<number, number> }
  >()

  return {
    count({ list, item, scope, delta }) {
      const chunk = Math.floor(item / chunkSize)
      const name = `${list} ${chunk} ${scope}`
      const { deltas } = chunks.get(name) ?? open(name, [list, chunk, scope])
      deltas.set(item % chunkSize, (deltas.get(item % chunkSize) ?? 0) + delta)
    },
    finish() {
      for (const { key, deltas } of chunks.values()) {
        const bits = new Uint8Array(chunkBytes)
        const before = optional(bytes, read.get(...key)?.items)
        if (before !== undefined) unpack(before, bits, 0)
        // An item whose place in the list has changed has left it and come back.
        for (const [at, delta] of deltas) if (delta !== 0) setBit(bits, at, delta > 0)
        const items = pack(bits)
        if (items.length === 0) drop.run(...key)
        else write.run(...key, items)
      }
      chunks.clear()
    },
  }

  function open(name: string, key: [list: number, chunk: number, scope: number]) {
    const made = { key, deltas: new Map<number, number>() }
    chunks.set(name, made)
    return made
  }
}

/** Answers the function that writes the members of a list which is full. */
export function openMemberFiller(db: DatabaseSync): (list: number) => void {
  const entries = db.prepare(
    'SELECT scope, json_group_array(item) AS items FROM entry WHERE list = ? GROUP BY scope',
  )
  const write = db.prepare('INSERT INTO member (list, chunk, scope, items) VALUES (?, ?, ?, ?)')
  return (list) => {
    for (const { scope, items } of entries.all(list)) {
      const bits = bitsOf(written<number[]>(items))
      for (let chunk = 0; chunk * chunkBytes < bits.length; chunk += 1) {
        const packed = pack(bits.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes))
        if (packed.length > 0) write.run(list, chunk, integer(scope), packed)
      }
    }
  }
}

/** Some ids. */
export interface IdSet {
  has(id: number): boolean
  all(): number[]
  /** The ids below the highest one that are not among them. */
  missing(): number[]
  readonly count: number
  /** The highest one; 0 where there is none. */
  readonly highest: number
}

/** The members of a list in some scopes, or in all of them. */
export function readMembers(db: DatabaseSync, list: number, scopes: readonly number[] | null): IdSet {
  const seen = scopes === null ? '' : `AND scope IN (${scopes.join(', ')})`
  const rows = db.prepare(`SELECT chunk, items FROM member WHERE list = ? ${seen} ORDER BY chunk`).all(list)
  const bits = roomFor(chunkSize * integer(rows.at(-1)?.chunk ?? 0))
  let begun = -1
  for (const row of rows) {
    const chunk = integer(row.chunk)
    const from = chunkBytes * chunk
    const packed = bytes(row.items)
    // Most chunks have one scope, whose bits are taken as they are: bit by bit they took a third of finding a page.
    if (chunk !== begun && packed.length === chunkBytes) bits.set(packed, from)
    else unpack(packed, bits, from)
    begun = chunk
  }
  return setOf(bits)
}

export function idSetOf(ids: readonly number[]): IdSet {
  return setOf(bitsOf(ids))
}

function setOf(bits: Uint8Array): IdSet {
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.byteLength / 4)
  let count = 0
  for (const word of words) count += bitsIn(word)
  const last = bits.findLastIndex((byte) => byte !== 0)
  const highest = last < 0 ? 0 : 8 * last + highestBit(bits[last] ?? 0)
  return {
    has: (id) => (((bits[id >> 3] ?? 0) >> (id & 7)) & 1) === 1,
    all: () => idsIn(bits),
    missing: () => idsIn(bits.map((byte) => ~byte)).filter((id) => id > 0 && id < highest),
    count,
    highest,
  }
}

/** How many of 32 bits are set, added up in pairs, fours and bytes. */
function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function highestBit(word: number): number {
  return 31 - Math.clz32(word)
}

function bitsOf(ids: readonly number[]): Uint8Array {
  const bits = roomFor(ids.reduce((highest, id) => Math.max(highest, id), 0))
  for (const id of ids) setBit(bits, id, true)
  return bits
}

/** Bits for all ids up to this one, in whole chunks. */
function roomFor(id: number): Uint8Array {
  return new Uint8Array(chunkBytes * (Math.floor(id / chunkSize) + 1))
}

function setBit(bits: Uint8Array, id: number, isMember: boolean): void {
  const before = bits[id >> 3] ?? 0
  bits[id >> 3] = isMember ? before | (1 << (id & 7)) : before & ~(1 << (id & 7))
}

function idsIn(bits: Uint8Array): number[] {
  const ids: number[] = []
  for (let at = 0; at < bits.length; at += 1) {
    for (let rest = bits[at] ?? 0; rest !== 0; rest &= rest - 1) ids.push(8 * at + highestBit(rest & -rest))
  }
  return ids
}

/** A chunk as it is written: its bits, or where they are few, their numbers. */
function pack(bits: Uint8Array): Uint8Array {
  const ids = idsIn(bits)
  if (ids.length >= fewest) return bits
  const packed = Buffer.alloc(2 * ids.length)
  for (const [at, id] of ids.entries()) packed.writeUInt16LE(id, 2 * at)
  return packed
}

/** Adds what `pack` wrote to the bits from a byte on. */
function unpack(packed: Uint8Array, bits: Uint8Array, from: number): void {
  if (packed.length === chunkBytes) {
    for (let at = 0; at < chunkBytes; at += 1) bits[from + at] = (bits[from + at] ?? 0) | (packed[at] ?? 0)
    return
  }
  const numbers = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  for (let at = 0; at < packed.length; at += 2) setBit(bits, 8 * from + numbers.getUint16(at, true), true)
}
