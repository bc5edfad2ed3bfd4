import { blockSize } from './digest.ts'

/** Blobs are read in pages of four blocks, so that listeners of the same music share them, wherever they began. */
export const blocksPerPage = 4
export const pageSize = blockSize * blocksPerPage

/** Memory for a page of a blob, and which of its blocks are there, checked against their sums. */
export interface Page {
  readonly buffer: Buffer
  readonly sound: boolean[]
  /** The read under way that fills some of its blocks. */
  filling: Promise<void> | undefined
  /** Every borrow needs one; the last one makes the page free for others. */
  release(): void
}

/**
 * A bounded store of pages in memory. Pages stay after their release, so that what is popular is neither read nor
 * summed again, until the room is needed or nobody has asked for them for half a minute. They are found by hash: what
 * they hold is right for every copy of that content, for ever.
 */
export interface Pages extends Disposable {
  /** The page `index` of the content `hash`, held until its release; null when all the memory is in use. */
  borrow(hash: string, index: number): Page | null
  /** Bytes of memory that the pages take now. */
  bytes(): number
}

interface Slot extends Page {
  key: string
  references: number
  usedAt: number
  /** When it began to hold what it holds. */
  since: number
}

const idleMs = 30_000
/** What many ask for stays in memory, but is read again after this long, so that a damaged file is noticed. */
const staleMs = 30_000

export function createPages(budgetBytes: number): Pages {
  const capacity = Math.max(1, Math.floor(budgetBytes / pageSize))
  const slots = new Map<string, Slot>()
  /** Those that nobody holds, the longest unused first. */
  const idle = new Map<string, Slot>()
  const timer = setInterval(dropIdle, idleMs / 2).unref()

  function dropIdle(): void {
    const before = performance.now() - idleMs
    for (const [key, slot] of idle) {
      if (slot.usedAt >= before) return
      idle.delete(key)
      slots.delete(key)
    }
  }

  function createSlot(key: string): Slot {
    const slot: Slot = {
      key,
      buffer: Buffer.allocUnsafeSlow(pageSize),
      sound: new Array<boolean>(blocksPerPage).fill(false),
      filling: undefined,
      references: 0,
      usedAt: 0,
      since: performance.now(),
      release() {
        slot.references -= 1
        if (slot.references > 0) return
        slot.usedAt = performance.now()
        idle.set(slot.key, slot)
      },
    }
    return slot
  }

  function reuse(key: string): Slot | null {
    const [oldest] = idle.values()
    if (!oldest) return null
    idle.delete(oldest.key)
    slots.delete(oldest.key)
    oldest.key = key
    empty(oldest)
    return oldest
  }

  function empty(slot: Slot): void {
    slot.sound.fill(false)
    slot.since = performance.now()
  }

  return {
    borrow(hash, index) {
      const key = `${hash}/${index}`
      const slot = slots.get(key) ?? (slots.size < capacity ? createSlot(key) : reuse(key))
      if (!slot) return null
      slots.set(key, slot)
      idle.delete(key)
      if (slot.references === 0 && performance.now() - slot.since > staleMs) empty(slot)
      slot.references += 1
      return slot
    },

    bytes: () => slots.size * pageSize,

    [Symbol.dispose]() {
      clearInterval(timer)
      slots.clear()
      idle.clear()
    },
  }
}
