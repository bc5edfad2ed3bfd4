// @ts-check

/**
 * How Node is told to be small; none of it can be set once it runs. V8 would let the space for new objects grow to 48 MB
 * and keep it, and the C library gives each of our fifteen threads an arena of its own. Figures: docs/adr/0090.
 */
export const thrift = {
  // Threads that rest collect their garbage (src/store/tidy.ts). Set later, it would make the compile cache useless.
  flags: ['--max-semi-space-size=2', '--expose-gc'],
  // The threshold is the C library's own to begin with. Named, it stays: otherwise the first password that is hashed, in
  // 19 MB, teaches the library to keep as much from then on.
  env: { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' },
}
