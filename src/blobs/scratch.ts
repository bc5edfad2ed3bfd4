/**
 * Memory for who reads a lot and keeps nothing of it: used again by the next one, since what is new for each megabyte
 * costs the system its pages, and has V8 look through all of its heap for what is left of it.
 */
export interface Scratch extends Disposable {
  take(): Buffer
  /** Gives it back: others write into it from now on. */
  give(buffer: Buffer): void
}

/**
 * One for each of the two copies that another node fetches at once, and as many for a second node. More are rare, and get
 * memory of their own.
 */
const most = 4
const idleMs = 30_000

/** Pieces of so many bytes. What nobody has used for half a minute is let go. */
export function createScratch(bytes: number): Scratch {
  const free: Buffer[] = []
  let leaving: NodeJS.Timeout | undefined

  function letGo(): void {
    clearTimeout(leaving)
    free.length = 0
  }

  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(bytes),
    give(buffer) {
      if (free.length < most) free.push(buffer)
      clearTimeout(leaving)
      leaving = setTimeout(letGo, idleMs).unref()
    },
    [Symbol.dispose]: letGo,
  }
}
