import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRandom } from '../harness/random.ts'
import { findViolation } from './linearizable.ts'
import { type RegisterOperation, register } from './register.ts'

const read = (calledAt: number, at: number, value: number): RegisterOperation => ({
  input: { kind: 'read' },
  calledAt,
  answer: { at, output: { value } },
})
const replace = (
  calledAt: number,
  at: number | undefined,
  expected: number,
  value: number,
  replaced = true,
): RegisterOperation => ({
  input: { kind: 'replace', expected, value },
  calledAt,
  ...(at !== undefined && { answer: { at, output: { replaced } } }),
})
const violation = (history: readonly RegisterOperation[]) => findViolation(history, register(0))

describe('histories that a register allows', () => {
  const allowed: Readonly<Record<string, readonly RegisterOperation[]>> = {
    'nothing at all': [],
    'one after another': [replace(1, 2, 0, 7), read(3, 4, 7), replace(5, 6, 7, 8), read(7, 8, 8)],
    'a read beside a write sees either': [replace(1, 9, 0, 7), read(2, 3, 0), read(4, 5, 7)],
    'of two at once, one wins': [replace(1, 5, 0, 7), replace(2, 6, 0, 8, false), read(7, 8, 7)],
    'the one that is answered last may have come first': [
      replace(1, 9, 0, 7),
      replace(2, 3, 7, 8),
      read(4, 5, 8),
    ],
    'without an answer, and never done': [replace(1, undefined, 0, 7), read(2, 3, 0), replace(4, 5, 0, 8)],
    'without an answer, and done': [replace(1, undefined, 0, 7), read(2, 3, 7)],
    'without an answer, and done much later': [
      replace(1, undefined, 0, 7),
      read(2, 3, 0),
      read(4, 5, 0),
      read(6, 7, 7),
    ],
    'without an answer, done, and the ground of another': [
      replace(1, undefined, 0, 7),
      replace(2, undefined, 7, 8),
      read(3, 4, 8),
    ],
  }
  for (const [name, history] of Object.entries(allowed)) {
    test(name, () => assert.equal(violation(history), null))
  }
})

describe('histories that no register has', () => {
  const refused: Readonly<Record<string, readonly RegisterOperation[]>> = {
    'a write that was acknowledged is lost': [replace(1, 2, 0, 7), read(3, 4, 0)],
    'a lost update: two replace the same': [replace(1, 2, 0, 7), replace(3, 4, 0, 8)],
    'both of two at once win': [replace(1, 5, 0, 7), replace(2, 6, 0, 8)],
    'a stale read after a newer one': [replace(1, 9, 0, 7), read(2, 3, 7), read(4, 5, 0)],
    'refused without a reason': [replace(1, 2, 0, 7, false)],
    'what was refused is there': [replace(1, 2, 0, 7), replace(3, 4, 0, 8, false), read(5, 6, 8)],
    'a value that nobody wrote': [replace(1, 2, 0, 7), read(3, 4, 9)],
    'done before it was asked for': [read(1, 2, 7), replace(3, undefined, 0, 7)],
    'done, undone and done again without an answer': [
      replace(1, undefined, 0, 7),
      read(2, 3, 7),
      read(4, 5, 0),
    ],
    'one without an answer comes back after another was put on top': [
      replace(1, undefined, 0, 7),
      replace(2, 3, 0, 8),
      read(4, 5, 7),
    ],
  }
  for (const [name, history] of Object.entries(refused)) {
    test(name, () => assert.notEqual(violation(history), null))
  }
})

/** What clients see of a real register, each of their operations done at a random moment of its time. */
function simulate(seed: number, length: number): RegisterOperation[] {
  const random = createRandom(seed)
  const planned = Array.from({ length }, (_, number) => {
    const calledAt = number * 2 + random()
    const doneAt = calledAt + random() * 6
    return { number, calledAt, doneAt, at: doneAt + random() * 6 }
  })
  let state = 0
  const history: RegisterOperation[] = []
  for (const { number, calledAt, at } of planned.toSorted((one, other) => one.doneAt - other.doneAt)) {
    const fate = random()
    if (fate < 0.3) history.push(read(calledAt, at, state))
    else {
      const expected = fate < 0.8 ? state : Math.max(0, state - 1)
      const isDone = expected === state
      const isAnswered = random() < 0.8
      // Without an answer it may as well never have been done.
      if (isDone && (isAnswered || random() < 0.5)) state = number + 1
      else if (isDone) continue
      history.push(replace(calledAt, isAnswered ? at : undefined, expected, number + 1, isDone))
    }
  }
  return history
}

test('random histories of a real register are allowed, and with a stale read at their end they are not', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const history = simulate(seed, 120)
    assert.equal(violation(history), null, `seed ${seed}`)
    const last = Math.max(...history.map(({ answer }) => answer?.at ?? 0))
    const stale = read(last + 1, last + 2, 0)
    assert.equal(violation([...history, stale]), stale, `seed ${seed}`)
  }
})
