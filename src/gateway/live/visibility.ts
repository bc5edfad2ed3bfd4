import type { Catalog } from '../../catalog/catalog.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Listener, What } from './changes.ts'

/** Whether a listener may know of a thing by its id. What is deleted, nobody can see: pages then load anew. */
export function maySeeThrough(catalog: Pick<Catalog, 'nameOf'>) {
  return ({ user, administrator }: Listener, what: What, id: Id): boolean => {
    if (what !== 'albums') return true // Marks are the listener's own, and nothing else is named.
    try {
      catalog.nameOf({ user, administrator }, 'album', id)
      return true
    } catch (error) {
      if (isCoded(error)) return false
      throw error
    }
  }
}
