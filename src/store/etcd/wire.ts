/**
 * The encoding of Protocol Buffers (version 3), as far as etcd's messages need it. A field whose value is its default
 * (0, false, empty) is not sent, and a field that is unknown here is passed over, as the encoding wants it.
 */
export type Value = string | Uint8Array | number | bigint | boolean

/** A field that was read: an integer (a bigint only where a number could not hold it), or bytes. */
export interface Field {
  readonly number: number
  readonly value: number | bigint | Uint8Array
}

/** The message of these fields: number, then value. A message in a message is given as its bytes. */
export function message(...fields: readonly (readonly [number: number, value: Value])[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      if (value.length === 0) continue
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      parts.push(varint(number * 8 + lengthDelimited), varint(bytes.length), bytes)
    } else if (value) {
      parts.push(varint(number * 8), varint(value))
    }
  }
  return Buffer.concat(parts)
}

const lengthDelimited = 2

function varint(value: number | bigint | boolean): Uint8Array {
  const bytes: number[] = []
  // A negative number is sent as the 64 bits of its two's complement.
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

/** The fields of a message, in the order in which they were sent. Throws RangeError where the bytes are no message. */
export function* fields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  function take(length: number): number {
    const from = at
    at += length
    if (at > bytes.length) throw new RangeError('a message ends within a field')
    return from
  }

  function integer(): number | bigint {
    let low = 0
    for (let shift = 1, digits = 0; digits < 7; digits += 1, shift *= 128) {
      const byte = view.getUint8(take(1))
      low += (byte & 127) * shift
      if (byte < 128) return low
    }
    let all = BigInt(low)
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(take(1))
      all |= BigInt(byte & 127) << shift
      if (byte < 128) return all <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(all) : BigInt.asUintN(64, all)
    }
    throw new RangeError('an integer has more than 64 bits')
  }

  while (at < bytes.length) {
    const tag = Number(integer())
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, value: integer() }
        break
      case 1:
        take(8)
        break
      case lengthDelimited: {
        const length = Number(integer())
        const from = take(length)
        yield { number, value: bytes.subarray(from, from + length) }
        break
      }
      case 5:
        take(4)
        break
      default:
        throw new RangeError(`a field of the unknown kind ${tag % 8}`)
    }
  }
}

/** A signed integer. Throws RangeError where a number cannot hold it. */
export function number({ value }: Field): number {
  if (value instanceof Uint8Array) throw new RangeError('bytes where an integer was expected')
  const signed = typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : value
  if (!Number.isSafeInteger(signed)) throw new RangeError(`${value} is too large an integer`)
  return signed
}

/** An unsigned integer of 64 bits, in hexadecimal digits: how etcd's own tools write ids. */
export function hexadecimal({ value }: Field): string {
  if (value instanceof Uint8Array) throw new RangeError('bytes where an integer was expected')
  return value.toString(16)
}

export const flag = (field: Field): boolean => number(field) !== 0

export function bytes({ value }: Field): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new RangeError('an integer where bytes were expected')
  return value
}

export function text(field: Field): string {
  const { buffer, byteOffset, byteLength } = bytes(field)
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
}
