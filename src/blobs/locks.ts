/** Runs functions one after another where they share a key. */
export interface Locks {
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>
}

export function createLocks(): Locks {
  const last = new Map<string, Promise<unknown>>()
  return {
    async run(key, work) {
      const before = last.get(key) ?? Promise.resolve()
      const mine = before.then(work, work)
      last.set(key, mine)
      try {
        return await mine
      } finally {
        if (last.get(key) === mine) last.delete(key)
      }
    },
  }
}
