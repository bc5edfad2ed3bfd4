import { join, type Operation } from '../store/collection.ts'
import { limits } from '../store/limits.ts'

/**
 * Packs groups of operations into transactions. A group stays in one transaction where it fits; one that does not is
 * cut with what is written before what is deleted, so that a crash in between leaves too much rather than too little.
 */
export function transactionsOf(groups: readonly (readonly Operation[])[]): Operation[] {
  const transactions: Operation[] = []
  let pending: Operation[] = []
  let bytes = 0
  const fits = (more: readonly Operation[]) =>
    pending.length + more.length <= limits.operations && bytes + bytesOf(more) <= limits.transactionBytes
  const flush = () => {
    if (pending.length > 0) transactions.push(join(...pending))
    pending = []
    bytes = 0
  }
  const add = (more: readonly Operation[]) => {
    pending.push(...more)
    bytes += bytesOf(more)
  }
  for (const group of groups) {
    if (!fits(group)) flush()
    if (fits(group)) {
      add(group)
      continue
    }
    for (const operation of group.toSorted(
      (one, other) => Number(isDeletion(one)) - Number(isDeletion(other)),
    )) {
      if (!fits([operation])) flush()
      add([operation])
    }
  }
  flush()
  return transactions
}

function bytesOf(operations: readonly Operation[]): number {
  return operations.reduce(
    (sum, { writes }) => sum + writes.reduce((own, { value }) => own + (value?.length ?? 0), 0),
    0,
  )
}

function isDeletion({ writes }: Operation): boolean {
  return writes.every(({ value }) => value === null)
}
