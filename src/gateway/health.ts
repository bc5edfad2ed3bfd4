import type { Index } from '../index/index.ts'
import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'
import type { Api } from './api.ts'

/** How long the store may take to answer, in milliseconds. */
const storeDeadline = 1_000

/**
 * `/livez`: the process answers. `/readyz`: the index has been filled, so requests may come. Where the store of a cluster
 * has lost its majority, browsing and playing go on, and the answer says what does not.
 */
export function healthRoutes(
  app: Api,
  { store, index }: { readonly store: Pick<Store, 'status'>; readonly index: Pick<Index, 'progress'> },
): void {
  app.get('/livez', (_request, reply) => reply.type('text/plain').send('alive\n'))
  app.get('/readyz', async (_request, reply) => {
    if (index.progress.state === 'filling') throw new CodedError('NOT_READY', 'the index is being filled')
    const isThere = await reaches(store)
    return reply
      .type('text/plain')
      .send(isThere ? 'ready\n' : 'ready to browse and play; nothing can be saved\n')
  })
}

/** Whether the store answers; throws what is wrong with it, if it is not only away. */
async function reaches(store: Pick<Store, 'status'>): Promise<boolean> {
  const deadline = AbortSignal.timeout(storeDeadline)
  try {
    await store.status(deadline)
    return true
  } catch (error) {
    if (deadline.aborted || isCoded(error, 'UNREACHABLE') || isCoded(error, 'TIMED_OUT')) return false
    throw error
  }
}
