import { createConnections } from './connections.ts'
import type { Outbox } from './outbox.ts'
import type { OutboxOptions } from './reach.ts'
import { createTelling } from './telling.ts'

export function createOutbox(options: OutboxOptions): Outbox {
  return { ...createTelling(options), ...createConnections(options) }
}
