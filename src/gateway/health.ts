import type { Index } from '../index/index.ts'
import { CodedError } from '../protocol/errors.ts'
import type { Store } from '../store/store.ts'
import type { Api } from './api.ts'

/** How long the store may take to answer before this node is not ready, in milliseconds. */
const storeDeadline = 2_000

/** `/livez`: the process answers. `/readyz`: the index has been filled and the store answers, so requests may come. */
export function healthRoutes(
  app: Api,
  { store, index }: { readonly store: Pick<Store, 'status'>; readonly index: Pick<Index, 'progress'> },
): void {
  app.get('/livez', (_request, reply) => reply.type('text/plain').send('alive\n'))
  app.get('/readyz', async (_request, reply) => {
    if (index.progress.state === 'filling') throw new CodedError('NOT_READY', 'the index is being filled')
    await store.status(AbortSignal.timeout(storeDeadline))
    return reply.type('text/plain').send('ready\n')
  })
}
