import { useSyncExternalStore } from 'react'
import type { ItemMark } from '../../src/protocol/api/catalog.ts'
import type { MarkKind } from '../../src/protocol/facts/listening.ts'
import { useServices } from './services.tsx'

/** The mark of an item as it is now. */
export function useMark(kind: MarkKind, item: { id: string; mark: ItemMark }): ItemMark {
  const { marks } = useServices()
  return useSyncExternalStore(marks.subscribe, () => marks.of(kind, item.id) ?? item.mark)
}
