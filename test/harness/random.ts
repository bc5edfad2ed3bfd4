/** Numbers from 0 to 1 that follow from the seed alone (Mulberry32): a test that prints its seed can be repeated. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of a list that is not empty, each as often as its weight says. */
export function pickByWeight<Each>(
  list: readonly Each[],
  weightOf: (each: Each) => number,
  random: () => number,
): Each {
  let at = random() * list.reduce((sum, each) => sum + weightOf(each), 0)
  for (const each of list) {
    at -= weightOf(each)
    if (at < 0) return each
  }
  const last = list.at(-1)
  if (last === undefined) throw new Error('there is nothing to pick from')
  return last
}

/** One of a list that is not empty. */
export const pickOne = <Each>(list: readonly Each[], random: () => number): Each =>
  pickByWeight(list, () => 1, random)

/** All of a list, in an order that follows from `random` (Fisher and Yates). */
export function shuffled<Each>(list: readonly Each[], random: () => number): Each[] {
  const left = [...list]
  const order: Each[] = []
  while (left.length > 0) order.push(...left.splice(Math.floor(random() * left.length), 1))
  return order
}
