import type { Id } from '../../protocol/ids.ts'
import { derivedId } from '../../store/derived-id.ts'
import type { Store } from '../../store/store.ts'
import { libraries } from '../facts.ts'

/** The library that uploads come into, made with the first of them; everyone with an account sees it. */
export async function uploadsLibrary(store: Store): Promise<Id> {
  const id = derivedId('library/uploads')
  if (await libraries.get(store, id)) return id
  // Where another was quicker, it is there all the same.
  await store.commit(
    libraries.create(id, {
      id,
      name: 'Uploads',
      kind: 'uploads',
      visibleTo: 'everyone',
      createdAt: Date.now(),
    }),
  )
  return id
}
