import { crc32 } from 'node:zlib'

/**
 * Zip files that are written as they are read (PKWARE's APPNOTE 6.3). Entries are stored as they are, since audio does
 * not get smaller; what is known of an entry only at its end, its checksum, stands behind it and in the directory at the
 * end of the file. What does not fit in 32 bits is written in the fields of Zip64.
 */
export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string
  readonly size: number
  /** Milliseconds since 1970; 1980 where there is none. */
  readonly modifiedAt?: number | undefined
}

/** An entry that has been written, as the directory tells of it. */
interface Written {
  readonly entry: ZipEntry
  readonly offset: number
  readonly checksum: number
}

/** From here on a number of 32 or 16 bits says that the true one stands elsewhere. */
const most32 = 0xffff_ffff
const most16 = 0xffff

/** The version of the format that a reader must know: 2.0, or 4.5 for Zip64. */
const plainVersion = 20
const largeVersion = 45
/** Bit 3: sizes and checksum follow the bytes. Bit 11: the name is UTF-8. */
const flags = 0x0808
/** A regular file that all may read and its owner may write, made on a Unix. */
const madeBy = 3 << 8
const attributes = 0o100_644 * 0x1_0000

/** How many bytes `writeZip` makes of these entries. */
export function sizeOfZip(entries: readonly ZipEntry[]): number {
  let offset = 0
  let directory = 0
  for (const entry of entries) {
    const name = Buffer.byteLength(entry.name)
    directory += 46 + name + directoryExtra(entry, offset).length
    const large = entry.size >= most32
    offset += 30 + name + (large ? 20 : 0) + entry.size + (large ? 24 : 16)
  }
  return offset + directory + endOf(entries.length, directory, offset).length
}

/**
 * The bytes of a zip file. `read` is asked for one entry after the other, and must yield as many bytes as the entry
 * says. A chunk is handed on as it came: it may be overwritten once the next one is asked for.
 */
export async function* writeZip<Entry extends ZipEntry>(
  entries: readonly Entry[],
  read: (entry: Entry) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const all: Written[] = []
  let offset = 0
  for (const entry of entries) {
    const head = headOf(entry)
    yield head
    let checksum = 0
    let left = entry.size
    for await (const chunk of read(entry)) {
      left -= chunk.length
      if (left < 0) break
      checksum = crc32(chunk, checksum)
      yield chunk
    }
    if (left !== 0) throw new Error(`${entry.name} has not the ${entry.size} bytes that it was said to have`)
    const tail = tailOf(entry, checksum)
    yield tail
    all.push({ entry, offset, checksum })
    offset += head.length + entry.size + tail.length
  }
  let directory = 0
  for (const each of all) {
    const line = directoryEntry(each)
    directory += line.length
    yield line
  }
  yield endOf(all.length, directory, offset)
}

/** What stands before the bytes of an entry. */
function headOf(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name)
  const head = Buffer.alloc(30)
  const large = entry.size >= most32
  head.writeUInt32LE(0x0403_4b50, 0)
  head.writeUInt16LE(large ? largeVersion : plainVersion, 4)
  head.writeUInt16LE(flags, 6)
  head.writeUInt32LE(dosTime(entry.modifiedAt), 10)
  if (large) {
    head.writeUInt32LE(most32, 18)
    head.writeUInt32LE(most32, 22)
  }
  head.writeUInt16LE(name.length, 26)
  // Where this field stands, the sizes behind the bytes have 64 bits.
  const extra = large ? extraOf([0, 0]) : Buffer.alloc(0)
  head.writeUInt16LE(extra.length, 28)
  return Buffer.concat([head, name, extra])
}

/** What stands behind them. */
function tailOf({ size }: ZipEntry, checksum: number): Buffer {
  const large = size >= most32
  const tail = Buffer.alloc(large ? 24 : 16)
  tail.writeUInt32LE(0x0807_4b50, 0)
  tail.writeUInt32LE(checksum, 4)
  if (large) {
    tail.writeBigUInt64LE(BigInt(size), 8)
    tail.writeBigUInt64LE(BigInt(size), 16)
  } else {
    tail.writeUInt32LE(size, 8)
    tail.writeUInt32LE(size, 12)
  }
  return tail
}

function directoryEntry({ entry, offset, checksum }: Written): Buffer {
  const name = Buffer.from(entry.name)
  const extra = directoryExtra(entry, offset)
  const line = Buffer.alloc(46)
  const version = extra.length > 0 ? largeVersion : plainVersion
  line.writeUInt32LE(0x0201_4b50, 0)
  line.writeUInt16LE(madeBy | version, 4)
  line.writeUInt16LE(version, 6)
  line.writeUInt16LE(flags, 8)
  line.writeUInt32LE(dosTime(entry.modifiedAt), 12)
  line.writeUInt32LE(checksum, 16)
  line.writeUInt32LE(Math.min(entry.size, most32), 20)
  line.writeUInt32LE(Math.min(entry.size, most32), 24)
  line.writeUInt16LE(name.length, 28)
  line.writeUInt16LE(extra.length, 30)
  line.writeUInt32LE(attributes, 38)
  line.writeUInt32LE(Math.min(offset, most32), 42)
  return Buffer.concat([line, name, extra])
}

/** Those numbers of an entry's line in the directory that do not fit there. */
function directoryExtra({ size }: ZipEntry, offset: number): Buffer {
  return extraOf([...(size >= most32 ? [size, size] : []), ...(offset >= most32 ? [offset] : [])])
}

function extraOf(numbers: readonly number[]): Buffer {
  if (numbers.length === 0) return Buffer.alloc(0)
  const extra = Buffer.alloc(4 + 8 * numbers.length)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(8 * numbers.length, 2)
  for (const [at, number] of numbers.entries()) extra.writeBigUInt64LE(BigInt(number), 4 + 8 * at)
  return extra
}

/** The end of the file, for `count` entries, and a directory of so many bytes at that place. */
function endOf(count: number, directory: number, offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x0605_4b50, 0)
  end.writeUInt16LE(Math.min(count, most16), 8)
  end.writeUInt16LE(Math.min(count, most16), 10)
  end.writeUInt32LE(Math.min(directory, most32), 12)
  end.writeUInt32LE(Math.min(offset, most32), 16)
  if (count < most16 && directory < most32 && offset < most32) return end
  const large = Buffer.alloc(56)
  large.writeUInt32LE(0x0606_4b50, 0)
  large.writeBigUInt64LE(44n, 4)
  large.writeUInt16LE(madeBy | largeVersion, 12)
  large.writeUInt16LE(largeVersion, 14)
  large.writeBigUInt64LE(BigInt(count), 24)
  large.writeBigUInt64LE(BigInt(count), 32)
  large.writeBigUInt64LE(BigInt(directory), 40)
  large.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x0706_4b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + directory), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([large, locator, end])
}

/** Date and time as MS-DOS had them: in steps of two seconds, from 1980 to 2107. They have no zone; ours is UTC. */
function dosTime(modifiedAt: number | undefined): number {
  const date = new Date(modifiedAt ?? 0)
  const year = date.getUTCFullYear()
  if (!(year >= 1980)) return 0x0021_0000
  if (year > 2107) return 0xff9f_bf7d
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | Math.floor(date.getUTCSeconds() / 2)
  return day * 0x1_0000 + time
}
