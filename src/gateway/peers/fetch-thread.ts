import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'

export type { FetchCalls } from './fetch-work.ts'

/** As of conversions: the lowest of all would stand still beside another program that is busy. */
const lowPriority = 10

/**
 * The thread of `fetcher.ts`. It yields to others before it loads what it does, which takes a tenth of a second of the
 * processor, and more until it is compiled.
 */
if (parentPort !== null) {
  yieldToOthers()
  const { serve } = await import('./fetch-work.ts')
  serve(parentPort)
}

/**
 * Linux has a priority for each thread, and takes the processor from one with a low priority as soon as another one has
 * something to do. Elsewhere it is one for all of the process, which must keep it.
 */
function yieldToOthers(): void {
  if (process.platform === 'linux') setPriority(lowPriority)
}
