/** One operation of a client, on clocks that agree: when it was asked for, and when its answer came. */
export interface Operation<Input, Output> {
  readonly input: Input
  readonly calledAt: number
  /** Absent: no answer came, or one that leaves open whether it was done. It may have happened at any time since, or never. */
  readonly answer?: { readonly at: number; readonly output: Output }
}

export interface Model<State, Input, Output> {
  readonly initial: State
  /**
   * The state after an operation, or undefined where it cannot have given this output in this state. Without an output, the
   * operation is one whose outcome nobody knows.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined
}

interface Configuration<State> {
  readonly state: State
  /** Those of the operations that are under way that have taken effect. */
  readonly done: ReadonlySet<number>
}

/**
 * Whether each operation can have taken effect in one moment between its call and its answer, in an order that the model
 * allows (Herlihy and Wing). It follows the events in their order and keeps every state in which the register can be, as
 * Lowe's "just-in-time" form of Wing and Gong's search does: an operation is put in order no sooner than somebody has
 * its answer. Answers the first operation whose answer is impossible, or null.
 */
export function findViolation<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): Operation<Input, Output> | null {
  const underWay = new Set<number>()
  let possible: readonly Configuration<State>[] = [{ state: model.initial, done: new Set() }]
  for (const { operation, isAnswer } of events(history)) {
    if (!isAnswer) {
      underWay.add(operation)
      continue
    }
    const after = reaching(operation, possible, underWay, history, model)
    const found = history[operation]
    if (after.length === 0 && found !== undefined) return found
    underWay.delete(operation)
    possible = unique(after.map(({ state, done }) => ({ state, done: without(done, operation) })))
  }
  return null
}

/** Every configuration with this operation done that follows from the given ones. */
function reaching<State, Input, Output>(
  wanted: number,
  from: readonly Configuration<State>[],
  underWay: ReadonlySet<number>,
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): readonly Configuration<State>[] {
  const reached: Configuration<State>[] = []
  const seen = new Set<string>()
  const left = [...from]
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    const key = keyOf(at)
    if (seen.has(key)) continue
    seen.add(key)
    if (at.done.has(wanted)) {
      reached.push(at)
      continue
    }
    for (const next of underWay) {
      const operation = history[next]
      if (operation === undefined || at.done.has(next)) continue
      const state = model.step(at.state, operation.input, operation.answer?.output)
      if (state !== undefined) left.push({ state, done: new Set([...at.done, next]) })
    }
  }
  return reached
}

/** Calls and answers in their order; of one moment, calls come first, which allows more, never less. */
function events<Input, Output>(history: readonly Operation<Input, Output>[]) {
  return history
    .flatMap(({ calledAt, answer }, operation) => [
      { at: calledAt, operation, isAnswer: false },
      ...(answer === undefined ? [] : [{ at: answer.at, operation, isAnswer: true }]),
    ])
    .toSorted((one, other) => one.at - other.at || Number(one.isAnswer) - Number(other.isAnswer))
}

function unique<State>(configurations: readonly Configuration<State>[]): readonly Configuration<State>[] {
  return [...new Map(configurations.map((each) => [keyOf(each), each])).values()]
}

const keyOf = <State>({ state, done }: Configuration<State>) =>
  JSON.stringify([state, [...done].toSorted((one, other) => one - other)])

function without(set: ReadonlySet<number>, one: number): ReadonlySet<number> {
  const rest = new Set(set)
  rest.delete(one)
  return rest
}
