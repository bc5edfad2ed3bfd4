import type { Index } from '../../index/index.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Catalog, Viewer } from '../catalog.ts'
import { guidBytes } from '../index/guid.ts'
import type { Records } from '../records.ts'

export interface WithdrawParts {
  readonly index: Pick<Index, 'statement'>
  readonly catalog: Pick<Catalog, 'source'>
  readonly records: Pick<Records, 'apply'>
}

/**
 * Takes back a track that was uploaded; answers the store's revision. Its owner may, and administrators. A copy in a
 * music folder stays. The bytes go with the next collection of blobs that no fact refers to, unless they are uploaded
 * again before. NOT_FOUND, FORBIDDEN.
 */
export type Withdraw = (viewer: Viewer, track: Id, signal?: AbortSignal) => Promise<number>

/** Any node may: it is a change of facts. */
export function createWithdraw({ index, catalog, records }: WithdrawParts): Withdraw {
  return async (viewer, track, signal) => {
    const { album } = catalog.source(viewer, track)
    const row = index
      .statement('SELECT user FROM upload JOIN track ON track.id = upload.track WHERE track.guid = ?')
      .get(guidBytes(track))
    if (!row) throw new CodedError('NOT_FOUND', 'the track was not uploaded')
    if (row.user !== viewer.user && !viewer.administrator) throw new CodedError('FORBIDDEN')
    return await records.apply([{ kind: 'withdraw', track, from: album }], signal)
  }
}
