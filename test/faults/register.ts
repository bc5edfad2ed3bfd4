import type { Model, Operation } from './linearizable.ts'

/** A register that is read, and replaced by who knows what it holds. Each value is written once. */
export type RegisterInput =
  | { readonly kind: 'read' }
  | { readonly kind: 'replace'; readonly expected: number; readonly value: number }
export type RegisterOutput = { readonly value: number } | { readonly replaced: boolean }
export type RegisterOperation = Operation<RegisterInput, RegisterOutput>

export const register = (initial: number): Model<number, RegisterInput, RegisterOutput> => ({
  initial,
  step(state, input, output) {
    if (input.kind === 'read') {
      return output === undefined || ('value' in output && output.value === state) ? state : undefined
    }
    const isExpected = state === input.expected
    // What nobody knows the outcome of matters only where it has changed something.
    if (output === undefined) return isExpected ? input.value : undefined
    if (!('replaced' in output) || output.replaced !== isExpected) return undefined
    return isExpected ? input.value : state
  },
})
