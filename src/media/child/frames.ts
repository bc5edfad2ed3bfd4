/**
 * Messages over a pipe: the length of a header and of a body (32 bits each, little-endian), the header as JSON text,
 * the body as it is. Used rather than Node's own channel between processes, which would have us deserialise whatever a
 * process sends that a hostile file may have taken over; here only text comes back, which its reader checks.
 */
export interface Frame {
  readonly header: string
  readonly body: Buffer
}

const prefixBytes = 8

export function frameParts(header: object, body: Uint8Array): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32LE(text.length, 0)
  prefix.writeUInt32LE(body.length, 4)
  return [prefix, text, body]
}

/** The frames of a stream. Throws at one that is larger than `maximumBytes`. Ends with the stream. */
export async function* readFrames(
  stream: AsyncIterable<Uint8Array>,
  maximumBytes: number,
): AsyncGenerator<Frame> {
  let chunks: Uint8Array[] = []
  let length = 0
  let wanted = prefixBytes
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    while (length >= wanted) {
      const all = Buffer.concat(chunks)
      const headerEnd = prefixBytes + all.readUInt32LE(0)
      const end = headerEnd + all.readUInt32LE(4)
      if (end > maximumBytes) throw new Error(`a message of ${end} bytes`)
      const complete = length >= end
      if (complete) {
        yield { header: all.toString('utf8', prefixBytes, headerEnd), body: all.subarray(headerEnd, end) }
      }
      chunks = complete ? [all.subarray(end)] : [all]
      length = complete ? all.length - end : all.length
      wanted = complete ? prefixBytes : end
    }
  }
}
