import { createThread, type Thread } from '../../store/thread.ts'
import type { MakerCalls } from './maker-thread.ts'

/** What makes certificates. */
export type Maker = Pick<Thread<MakerCalls>, 'call'>

/**
 * Runs `work` with what makes certificates, in a thread that ends with it: it is needed for a moment, once in months,
 * and the thread takes 20 MB.
 */
export async function withMaker<Value>(work: (maker: Maker) => Promise<Value>): Promise<Value> {
  const thread = createThread<MakerCalls>({
    url: new URL('./maker-thread.ts', import.meta.url),
    name: 'certificate',
    heap: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 6 },
  })
  try {
    return await work(thread)
  } finally {
    await thread.end()
  }
}
