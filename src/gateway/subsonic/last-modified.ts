import type { Index } from '../../index/index.ts'

/** When the catalog last changed, in milliseconds since 1970, as far as this process has seen. */
export interface LastModified extends Disposable {
  readonly at: number
}

/**
 * What was before the start is not known, so the start counts as a change: a client is never told that nothing has
 * changed when something has.
 */
export function watchLastModified(index: Pick<Index, 'subscribe'>): LastModified {
  let at = Date.now()
  const end = index.subscribe(({ keys, more }) => {
    if (more || keys.some((key) => key.startsWith('catalog/'))) at = Math.max(Date.now(), at + 1)
  })
  return {
    get at() {
      return at
    },
    [Symbol.dispose]: end,
  }
}
