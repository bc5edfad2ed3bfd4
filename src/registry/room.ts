/** Large enough that a piece costs nothing but its bytes: to hash, to write, to be handed on. */
const pieceBytes = 1_024 * 1_024
/** Pages of memory as WebAssembly counts it. */
const pageBytes = 65_536

/** The memory of a connection for bulk: a piece that is being filled, those that are full, and those that may be filled again. */
export interface Room {
  /** Where the next bytes go. */
  room(): Uint8Array
  filled(): Buffer
  fill(length: number): void
  /** Takes the first bytes out of the piece that is being filled. */
  drop(length: number): void
  isFull(): boolean
  /** The piece that is being filled is handed out as it is. */
  handOut(): void
  /** The next of those that were handed out. */
  take(): Uint8Array | null
  /** What was taken last has been read. */
  giveBack(): void
  /** Whether the reader has taken all that was handed out, and may be sent more. */
  isTaken(): boolean
}

/**
 * What WebAssembly calls memory begins where a page of the system does, as no other memory that Node gives is sure to: a
 * disk can take it as it is (`src/blobs/direct.ts`).
 */
function allocate(pieces: number): Buffer {
  const pages = (pieces * pieceBytes) / pageBytes
  try {
    // Our types know the name, and not what it takes.
    const memory: WebAssembly.Memory = Reflect.construct(WebAssembly.Memory, [
      { initial: pages, maximum: pages },
    ])
    return Buffer.from(memory.buffer)
  } catch {
    // It reserves many more addresses than it uses, and some systems give a process few of them.
    return Buffer.allocUnsafeSlow(pieces * pieceBytes)
  }
}

export function createRoom(): Room {
  const both = allocate(2)
  let filling = both.subarray(0, pieceBytes)
  let length = 0
  const free = [both.subarray(pieceBytes)]
  const full: { readonly memory: Buffer; readonly length: number }[] = []
  let isRead = true
  return {
    room: () => filling.subarray(length),
    filled: () => filling.subarray(0, length),
    fill(more) {
      length += more
    },
    drop(first) {
      filling.copyWithin(0, first, length)
      length -= first
    },
    isFull: () => length === pieceBytes,
    handOut() {
      full.push({ memory: filling, length })
      filling = free.pop() ?? allocate(1)
      length = 0
    },
    take() {
      const [first] = full
      if (first === undefined) return null
      isRead = false
      return first.memory.subarray(0, first.length)
    },
    giveBack() {
      const first = full.shift()
      if (first !== undefined) free.push(first.memory)
      isRead = true
    },
    isTaken: () => full.length === 0 && isRead,
  }
}
