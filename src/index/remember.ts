import type { Index } from './index.ts'

/**
 * The function `read`, whose answers from the index are kept until the index changes: for what each request of a
 * listener asks again. `keyOf` names the question; at most `most` answers are kept. What `read` answers is shared, so
 * nobody may change it.
 */
export function remember<Question extends readonly unknown[], Value>(
  index: Pick<Index, 'revision'>,
  keyOf: (...question: Question) => string,
  read: (...question: Question) => Value,
  most = 1_000,
): (...question: Question) => Value {
  const known = new Map<string, Value>()
  let revision = 0

  return (...question) => {
    // While the index is being filled it changes without another revision.
    if (index.revision === 0) return read(...question)
    if (index.revision !== revision) known.clear()
    revision = index.revision
    const key = keyOf(...question)
    const found = known.get(key)
    if (found !== undefined) return found
    const value = read(...question)
    if (known.size >= most) known.clear()
    known.set(key, value)
    return value
  }
}
