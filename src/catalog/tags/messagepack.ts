/** A value as MessagePack has it; binary values are views of the source, so copy what must outlive it. */
export type Value = null | boolean | number | string | Uint8Array | Value[] | Map<string, Value>

const longestText = 1_000_000
const deepest = 8

/**
 * Decodes one MessagePack value: what TagLib's WebAssembly build answers with. Extension types, 64-bit integers and
 * keys that are not text do not occur there. Text beyond a million bytes is cut. Throws a RangeError on anything else.
 */
export function decodeMessagePack(bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = new TextDecoder()
  let at = 0

  const take = (count: number) => {
    const start = at
    at += count
    if (at > bytes.length) throw new RangeError('the value ends too early')
    return start
  }
  const string = (length: number) => {
    const start = take(length)
    return text.decode(bytes.subarray(start, start + Math.min(length, longestText)))
  }
  const binary = (length: number) => {
    const start = take(length)
    return bytes.subarray(start, start + length)
  }
  const array = (length: number, depth: number) => {
    const values: Value[] = []
    for (let index = 0; index < length; index++) values.push(value(depth + 1))
    return values
  }
  const map = (length: number, depth: number) => {
    const values = new Map<string, Value>()
    for (let index = 0; index < length; index++) {
      const key = value(depth + 1)
      values.set(String(key), value(depth + 1))
    }
    return values
  }

  function value(depth: number): Value {
    if (depth > deepest) throw new RangeError('the value is nested too deeply')
    const kind = view.getUint8(take(1))
    if (kind < 0x80) return kind
    if (kind < 0x90) return map(kind & 0x0f, depth)
    if (kind < 0xa0) return array(kind & 0x0f, depth)
    if (kind < 0xc0) return string(kind & 0x1f)
    if (kind >= 0xe0) return kind - 0x100
    switch (kind) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return binary(view.getUint8(take(1)))
      case 0xc5:
        return binary(view.getUint16(take(2)))
      case 0xc6:
        return binary(view.getUint32(take(4)))
      case 0xca:
        return view.getFloat32(take(4))
      case 0xcb:
        return view.getFloat64(take(8))
      case 0xcc:
        return view.getUint8(take(1))
      case 0xcd:
        return view.getUint16(take(2))
      case 0xce:
        return view.getUint32(take(4))
      case 0xcf:
        return Number(view.getBigUint64(take(8)))
      case 0xd0:
        return view.getInt8(take(1))
      case 0xd1:
        return view.getInt16(take(2))
      case 0xd2:
        return view.getInt32(take(4))
      case 0xd3:
        return Number(view.getBigInt64(take(8)))
      case 0xd9:
        return string(view.getUint8(take(1)))
      case 0xda:
        return string(view.getUint16(take(2)))
      case 0xdb:
        return string(view.getUint32(take(4)))
      case 0xdc:
        return array(view.getUint16(take(2)), depth)
      case 0xdd:
        return array(view.getUint32(take(4)), depth)
      case 0xde:
        return map(view.getUint16(take(2)), depth)
      case 0xdf:
        return map(view.getUint32(take(4)), depth)
      default:
        throw new RangeError(`unknown kind ${kind}`)
    }
  }
  return value(0)
}
