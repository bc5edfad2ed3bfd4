import { libraries } from '../catalog/facts.ts'
import type { Library } from '../protocol/facts/catalog.ts'
import { update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'

/**
 * Music folders that named a node of a cluster become those of a machine that stands alone, which name none: all for
 * which `isOurs` says so, and of several at one path the first.
 */
export async function bringLibrariesHome(
  store: Store,
  isOurs: (library: Library) => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const paths = new Set<string>()
  for await (const { id, value } of libraries.walk(store, { skip: () => undefined }, signal)) {
    if (value.path === undefined || paths.has(value.path)) continue
    if (value.node === undefined) paths.add(value.path)
    if (value.node === undefined || !(await isOurs(value))) continue
    paths.add(value.path)
    await update(store, libraries, id, (library) => (library === null ? null : withoutNode(library)), signal)
  }
}

function withoutNode({ node: _, ...library }: Library): Library {
  return library
}
