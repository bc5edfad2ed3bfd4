/**
 * How many of each blob's `copies` each of several places should hold, on average: in proportion to capacity, and at
 * most one in each place. Where a place is so large that its share would be more than one, it holds a copy of every
 * blob, and the others share the rest; capacity cannot be matched then. With fewer places than copies, each holds one.
 */
export function sharesOf(capacities: readonly number[], copies: number): number[] {
  const shares = capacities.map(() => 0)
  let left = Math.min(copies, capacities.length)
  let open = capacities.map((_, place) => place)
  while (open.length > 0) {
    const total = open.reduce((sum, place) => sum + (capacities[place] ?? 0), 0)
    const shareOf = (place: number) => (left * (capacities[place] ?? 0)) / total
    const full = open.filter((place) => shareOf(place) >= 1)
    for (const place of full.length > 0 ? full : open) shares[place] = Math.min(1, shareOf(place))
    if (full.length === 0) break
    left -= full.length
    open = open.filter((place) => !full.includes(place))
  }
  return shares
}

/** For a place that holds a copy of everything: it wins against any other rate. */
const always = 2 ** 40

/** By so much, as a share of it, the chance of a place may differ from its share: what that buys is told below. */
const slack = 0.035
/** Up to so many places chances are found exactly; beyond, the approximation is good to a thousandth. */
const mostExact = 32
const mostRounds = 30
const points = 48
/** Chances that are this near to what they should be are near enough. */
const tolerance = 0.001

/**
 * The rates with which places must compete so that each gets its share, within the slack. Each blob goes to the `copies`
 * places with the smallest of `−ln(random) ÷ rate`. Rates in proportion to capacity would do that for one copy; for the
 * second, the largest place is out of the race when it has won the first, so that large places would get too little.
 *
 * A place whose rate is in proportion to its capacity draws as before when it gains a node: only what that node itself
 * wins is moved. Where rates must differ, they change with every node, and more is moved than must be. So they differ no
 * more than it takes to bring each place to the edge of the slack. Answers depend on the shares alone, change little where
 * these do, and are the same on every machine: V8 computes exp and log in software.
 */
export function ratesOf(shares: readonly number[]): number[] {
  const racing = shares.flatMap((share, place) => (share > 0 && share < 1 ? [place] : []))
  const rates = shares.map((share) => (share >= 1 ? always : 0))
  const wanted = racing.map((place) => shares[place] ?? 0)
  const copies = Math.round(wanted.reduce((sum, share) => sum + share, 0))
  const found = copies === 1 ? wanted : raceRates(wanted, copies)
  for (const [index, place] of racing.entries()) rates[place] = found[index] ?? 0
  return rates
}

function raceRates(wanted: readonly number[], copies: number): number[] {
  let rates = [...wanted]
  for (let round = 0; round < mostRounds; round += 1) {
    const chances = chancesOf(rates, copies)
    const aims = wanted.map((share, place) =>
      Math.min(Math.max(chances[place] ?? 0, share * (1 - slack)), share * (1 + slack)),
    )
    if (chances.every((chance, place) => Math.abs(chance / (aims[place] ?? 1) - 1) < tolerance)) break
    // A step is bounded, since where a share is near 1 almost any rate will do.
    rates = rates.map((rate, place) => {
      const step = Math.log1p(-(aims[place] ?? 0)) / Math.log1p(-Math.min(chances[place] ?? 0, 1 - 1e-9))
      return rate * Math.min(Math.max(step, 0.25), 4)
    })
  }
  return rates
}

/** The chance of each place to be among the first `copies`. */
function chancesOf(rates: readonly number[], copies: number): number[] {
  if (rates.length <= mostExact) return rates.map((_, place) => chanceOf(rates, place, copies))
  // Exact where there are infinitely many places: who comes before the race is over, when `copies` are expected.
  const comeBy = (at: number) => rates.map((rate) => -Math.expm1(-rate * at))
  const sumBy = (at: number) => comeBy(at).reduce((sum, chance) => sum + chance, 0)
  let early = 0
  let late = 1
  while (sumBy(late) < copies) late *= 2
  for (let halving = 0; halving < 40; halving += 1) {
    const middle = (early + late) / 2
    if (sumBy(middle) < copies) early = middle
    else late = middle
  }
  return comeBy(late)
}

/** The chance that at most `copies - 1` others come before `place`: the mean over its own arrival, by the midpoint rule. */
function chanceOf(rates: readonly number[], place: number, copies: number): number {
  const own = rates[place] ?? 0
  let chance = 0
  for (let point = 0; point < points; point += 1) {
    const at = -Math.log1p(-(point + 0.5) / points) / own
    // How probable it is that exactly 0, 1, … others have come by then.
    const come = new Float64Array(copies)
    come[0] = 1
    for (let other = 0; other < rates.length; other += 1) {
      if (other === place) continue
      const missing = Math.exp(-(rates[other] ?? 0) * at)
      for (let count = copies - 1; count > 0; count -= 1)
        come[count] = (come[count] ?? 0) * missing + (come[count - 1] ?? 0) * (1 - missing)
      come[0] = (come[0] ?? 0) * missing
    }
    for (const probability of come) chance += probability / points
  }
  return chance
}
