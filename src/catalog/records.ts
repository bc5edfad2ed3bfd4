import { CodedError } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import type { Change } from './changes.ts'
import { createDesk, type Known } from './desk.ts'
import { aliases } from './facts.ts'
import { plan } from './plan.ts'
import { transactionsOf } from './transactions.ts'

/**
 * Writes tracks into album-grain facts, so that ids live as long as the music does, whatever is retagged or moved. Made
 * for one scan or one upload: which ids others keep meanwhile, it hears only where both write the same album.
 */
export interface Records {
  /**
   * Makes the changes, in as few transactions as there can be; a track that moves from one album to another does so
   * in one, and what is to be written `beside` goes with the first of them. Repeating it changes nothing. Resolves with
   * the store's revision. Throws CONFLICT where others write the same albums all the time.
   */
  apply(changes: readonly Change[], signal?: AbortSignal, beside?: Beside): Promise<number>
  /** The id that is in use for a born one. */
  inUse(born: Id, signal?: AbortSignal): Promise<Id>
}

/** Made anew for each attempt. */
export type Beside = () => Promise<readonly Operation[]>

const attempts = 20

export function createRecords(store: Store): Records {
  let known: Map<Id, Known> | undefined

  /** What is read is shared, the reading is not: nobody shall wait for a read that another gives up. */
  async function aliasMap(signal?: AbortSignal): Promise<Map<Id, Known>> {
    known ??= await readAliases(signal)
    return known
  }

  async function readAliases(signal?: AbortSignal) {
    const found = new Map<Id, Known>()
    for await (const fact of aliases.walk(store, { skip: () => {} }, signal)) {
      found.set(fact.id, { id: fact.value.id, revision: fact.revision })
    }
    return found
  }

  return {
    async inUse(born, signal) {
      return (await aliasMap(signal)).get(born)?.id ?? born
    },

    async apply(changes, signal, beside) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const desk = createDesk(store, await aliasMap(signal), signal)
        const [first, ...others] = await plan(desk, changes)
        // Where nothing changes there is nothing to tell of.
        const groups = first === undefined ? [] : [[...first, ...((await beside?.()) ?? [])], ...others]
        let revision = 0
        let ok = true
        for (const transaction of transactionsOf(groups)) {
          const outcome = await store.commit(transaction, signal)
          revision = outcome.revision
          ok = outcome.ok
          if (!ok) break
        }
        if (desk.aliased) known = undefined
        if (ok) return revision || (await store.status(signal)).revision
        known = undefined
      }
      throw new CodedError('CONFLICT', 'the albums change all the time')
    },
  }
}
