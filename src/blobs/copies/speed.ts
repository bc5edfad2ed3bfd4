/** How many bytes pass in a second, over the last ten. */
export interface Speed {
  count(bytes: number): void
  perSecond(): number
}

const windowMs = 10_000
const slots = 10

/** `now` in milliseconds, on a clock that never jumps. */
export function createSpeed(now: () => number): Speed {
  const counted = new Float64Array(slots)
  let newest = 0

  /** Empties the slots whose time is over. */
  function advance(): number {
    const slot = Math.floor(now() / (windowMs / slots))
    for (let passed = Math.max(newest + 1, slot - slots + 1); passed <= slot; passed += 1)
      counted[passed % slots] = 0
    newest = Math.max(newest, slot)
    return slot % slots
  }

  return {
    count(bytes) {
      const slot = advance()
      counted[slot] = (counted[slot] ?? 0) + bytes
    },
    perSecond() {
      advance()
      return counted.reduce((sum, bytes) => sum + bytes, 0) / (windowMs / 1_000)
    },
  }
}
