import { randomUUID } from 'node:crypto'
import type { Message } from '../protocol/facts/listening.ts'
import { create, join } from '../store/collection.ts'
import type { ListeningOptions } from './create.ts'
import { messages } from './facts.ts'
import type { Listening } from './listening.ts'

/** Messages that are kept. */
const most = 1_000
/** Old ones that go with a new one: more than come, so that their number falls back where it was exceeded. */
const mostCleared = 20

export function createMessages({ store }: ListeningOptions): Pick<Listening, 'messages' | 'say'> {
  async function clearOld(signal?: AbortSignal): Promise<void> {
    const kept: { key: string; revision: number }[] = []
    let after: string | undefined
    // A page may end early where messages are long, so its length says nothing.
    for (let more = true; more; after = kept.at(-1)?.key) {
      const page = await store.list(messages.prefix, after === undefined ? {} : { after }, signal)
      kept.push(...page.entries.map(({ key, revision }) => ({ key, revision })))
      more = page.more
    }
    const old = kept.slice(0, Math.min(mostCleared, Math.max(0, kept.length - most)))
    if (old.length === 0) return
    // Where somebody else clears at the same time, the next message finds the rest.
    await store.commit(
      join(...old.map(({ key, revision }) => messages.remove(messages.id(key), revision))),
      signal,
    )
  }

  return {
    async messages(since, signal) {
      const found: Message[] = []
      for await (const { value } of messages.walk(store, { skip: () => undefined }, signal)) {
        if (value.at > since) found.push(value)
      }
      return found
    },
    async say({ user }, text, signal) {
      const at = Date.now()
      const id = `${String(at).padStart(15, '0')}-${randomUUID()}`
      const { revision } = await create(store, messages, id, { user, text, at }, signal)
      await clearOld(signal)
      return { value: undefined, revision }
    },
  }
}
