import type { Id } from '../../protocol/ids.ts'

interface Limits {
  /** For one account. */
  readonly each: number
  /** For all of them, through this node. */
  readonly together?: number
  /** What whoever comes too many is told. */
  readonly full: () => Error
}

/** Answers the function that counts something long which an account has begun, until it is disposed of. */
export function createTurns({
  each,
  together = Number.POSITIVE_INFINITY,
  full,
}: Limits): (account: Id) => Disposable {
  const underWay = new Map<Id, number>()

  return (account) => {
    const own = underWay.get(account) ?? 0
    const all = underWay.values().reduce((sum, count) => sum + count, 0)
    if (own >= each || all >= together) throw full()
    underWay.set(account, own + 1)
    return {
      [Symbol.dispose]() {
        const left = (underWay.get(account) ?? 1) - 1
        if (left > 0) underWay.set(account, left)
        else underWay.delete(account)
      },
    }
  }
}
