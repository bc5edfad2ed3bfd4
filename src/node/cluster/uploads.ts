import type { Blobs, Copy } from '../../blobs/blobs.ts'
import type { ElsewhereCopies } from '../../blobs/copies/elsewhere.ts'
import type { References } from '../../blobs/copies/whereabouts.ts'
import type { Index } from '../../index/index.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { BlobHash } from '../../protocol/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Store } from '../../store/store.ts'
import type { BackupBlobs } from '../backup/backup.ts'

export interface UploadsOptions {
  readonly store: Pick<Store, 'status'>
  readonly index: Pick<Index, 'waitFor'>
  readonly references: References
  readonly registry: Pick<Registry, 'member'>
  readonly blobs: Pick<Blobs, 'open'>
  readonly elsewhere: Pick<ElsewhereCopies, 'inTurn'>
}

const pageBlobs = 200

/**
 * The blobs of the whole cluster that a backup must hold, wherever they lie: those that facts name and that are in no
 * music folder of a machine that still belongs to the cluster.
 */
export function createUploads(options: UploadsOptions): BackupBlobs {
  const { store, index, references, registry, blobs, elsewhere } = options
  const isMember = (node: string) => {
    const member = registry.member(node)
    return member !== null && member.state !== 'removed'
  }

  async function* copies(hash: BlobHash, signal: AbortSignal): AsyncGenerator<Copy> {
    const here = await blobs.open(hash, signal).catch(() => null)
    signal.throwIfAborted()
    if (here !== null) yield here
    yield* elsewhere.inTurn(hash, signal)
  }

  return {
    async *list(signal) {
      // A blob is durable before the facts that name it: the index that has them knows them all.
      await index.waitFor((await store.status(signal)).revision, signal)
      let after: BlobHash | undefined
      for (;;) {
        signal.throwIfAborted()
        const page = references.page(after, pageBlobs)
        for (const { hash, inPlace } of page) if (!inPlace.some(isMember)) yield { hash }
        after = page.at(-1)?.hash
        if (page.length < pageBlobs) return
      }
    },
    async open(hash, signal) {
      const left = copies(hash, signal)
      const first = await left.next()
      if (first.done) throw new CodedError('BLOB_MISSING', `no live node has ${hash}`)
      return readOn(first.value, left, signal)
    },
  }
}

/** A copy that goes on at the next one, at the same byte, where the one that is read breaks off. */
function readOn(first: Copy, others: AsyncGenerator<Copy>, signal: AbortSignal): Copy {
  async function* chunks() {
    let at = 0
    let failure: unknown
    for (let copy: Copy | undefined = first; copy !== undefined; copy = (await others.next()).value) {
      using reading = copy
      if (reading.size !== first.size) continue
      try {
        for await (const bytes of reading.chunks({ start: at, end: first.size }, signal)) {
          at += bytes.length
          yield bytes
        }
        return
      } catch (error) {
        signal.throwIfAborted()
        failure ??= error
      }
    }
    throw failure
  }
  return {
    size: first.size,
    chunks,
    [Symbol.dispose]() {
      first[Symbol.dispose]()
      void others.return(undefined)
    },
  }
}
