// @ts-check

/**
 * How Node is told to be small; neither can be set once it runs. V8 would let the space for new objects grow to 48 MB
 * and keep it, and the C library gives each of our fifteen threads an arena of its own. Figures: docs/adr/0090.
 */
export const thrift = {
  flags: ['--max-semi-space-size=2'],
  env: { MALLOC_ARENA_MAX: '2' },
}
