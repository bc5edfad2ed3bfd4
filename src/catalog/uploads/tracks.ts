import { Buffer } from 'node:buffer'
import type { Blobs, InPlace, PlacedFile } from '../../blobs/blobs.ts'
import type { Index } from '../../index/index.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Audio, Tags } from '../../protocol/facts/catalog.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Operation } from '../../store/collection.ts'
import { text } from '../../store/row.ts'
import type { Store } from '../../store/store.ts'
import type { Catalog, TrackSource, Viewer } from '../catalog.ts'
import { albumIdentity, bornTrackId, folderContexts } from '../identity.ts'
import { guidBytes } from '../index/guid.ts'
import { guidText } from '../index/schema.ts'
import type { Places } from '../places.ts'
import type { Records } from '../records.ts'
import type { UploadContent, UploadRecord } from './ledger.ts'
import { uploadsLibrary } from './library.ts'

/** What tells services outside of an upload, for the transaction that makes its track; src/node hands in the outbox. */
export type TellUpload = (
  user: Id,
  happening: {
    readonly type: 'upload.finished'
    readonly id: Id
    readonly at: number
    readonly track: () => Promise<{ readonly id: Id; readonly tags: Tags; readonly audio: Audio }>
  },
) => Promise<readonly Operation[]>

export interface TracksOptions {
  readonly store: Store
  readonly index: Pick<Index, 'statement' | 'waitFor'>
  readonly catalog: Pick<Catalog, 'source'>
  readonly places: Pick<Places, 'files'>
  /** Called for each upload: one that is kept does not hear which ids scans keep from then on. */
  readonly openRecords: () => Records
  readonly blobs: Pick<Blobs, 'remove'> & { readonly inPlace: InPlace }
  readonly tell: TellUpload
}

type Received = UploadRecord & { readonly content: UploadContent }

export interface Added {
  readonly track: Id
  readonly title: string
  readonly duplicate: boolean
  readonly revision: number
}

export interface UploadedTracks {
  /** Makes a track of an upload whose blob is durable, or recognises the one that has the same bytes already. */
  add(upload: Received, viewer: Viewer): Promise<Added>
}

export function createUploadedTracks(options: TracksOptions): UploadedTracks {
  const { store, index, catalog, places, openRecords, blobs, tell } = options

  /** Tracks that have this content, or might have: those not hashed yet are known by samples only. */
  function candidates({ content, size }: Received): Id[] {
    const fingerprint = Buffer.from(content.fingerprint, 'hex')
    const hash = Buffer.from(content.hash, 'hex')
    const rows = index
      .statement(
        `SELECT ${guidText('guid')} AS id FROM track
         WHERE substr(fingerprint, 1, 8) = ? AND fingerprint = ? AND size = ?
         UNION SELECT ${guidText('guid')} FROM track WHERE substr(blob, 1, 8) = ? AND blob = ?`,
      )
      .all(fingerprint.subarray(0, 8), fingerprint, size, hash.subarray(0, 8), hash)
    return rows.map(({ id }) => text(id))
  }

  function sourceOf(viewer: Viewer, track: Id): TrackSource | null {
    try {
      return catalog.source(viewer, track)
    } catch (error) {
      if (isCoded(error, 'NOT_FOUND')) return null
      throw error
    }
  }

  /** Whether the track has these very bytes. One that has not been hashed yet is read now. */
  async function isSame(source: TrackSource, hash: BlobHash): Promise<boolean> {
    if (source.blob !== undefined) return source.blob === hash
    for (const { hash: _, ...place } of places.files(source)) {
      try {
        return (await blobs.inPlace.hash(place)) === hash
      } catch {
        // A file that cannot be read proves nothing; another place of the track may.
      }
    }
    return false
  }

  async function find(upload: Received, viewer: Viewer): Promise<TrackSource | null> {
    for (const id of candidates(upload)) {
      const source = sourceOf(viewer, id)
      if (source && (await isSame(source, upload.content.hash))) return source
    }
    return null
  }

  function uploadOf(track: Id): { user: string; fileName: string; addedAt: number } | null {
    const row = index
      .statement(
        `SELECT upload.user, upload.file_name, track.added FROM upload JOIN track ON track.id = upload.track
         WHERE track.guid = ?`,
      )
      .get(guidBytes(track))
    return row ? { user: text(row.user), fileName: text(row.file_name), addedAt: Number(row.added) } : null
  }

  /** A second copy of what lies in a music folder is not kept, once that file has been read whole and matches (B4). */
  async function dropSurplus(hash: BlobHash, places: readonly PlacedFile[]): Promise<void> {
    const verifyOthers = async () => {
      for (const place of places) {
        const verdict = await blobs.inPlace.verify({ ...place, hash }).catch(() => 'unreadable')
        if (verdict === 'sound') return 1
      }
      return 0
    }
    await blobs.remove(hash, verifyOthers).catch((error) => {
      if (!isCoded(error, 'LAST_COPY')) throw error
    })
  }

  /** The id for a new track. One that is in use for other bytes, of a file retagged since, is left to that. */
  async function newId(
    { content, size }: Received,
    records: Pick<Records, 'inUse'>,
  ): Promise<{ track: Id; from?: Id }> {
    for (const salt of ['', content.hash]) {
      const track = await records.inUse(bornTrackId(content.fingerprint, salt))
      const row = index
        .statement(
          `SELECT lower(hex(fingerprint)) AS fingerprint, track.size, lower(hex(blob)) AS blob, ${guidText('album.guid')} AS album
           FROM track JOIN album ON album.id = track.album WHERE track.guid = ?`,
        )
        .get(guidBytes(track))
      if (!row) return { track }
      const same = row.fingerprint === content.fingerprint && row.size === size
      if (same && (row.blob === '' || row.blob === content.hash)) return { track, from: text(row.album) }
    }
    return { track: bornTrackId(content.fingerprint, `${content.hash}/again`) }
  }

  async function commit(upload: Received): Promise<Added> {
    const { content, size, user, fileName } = upload
    const library = await uploadsLibrary(store)
    const [context] = folderContexts(library, `uploads/${user}`, [content.tags])
    const identity = albumIdentity(content.tags, context ?? { library, folder: '' })
    const records = openRecords()
    const { track, from } = await newId(upload, records)
    const { tags, audio, fingerprint } = content
    const at = Date.now()
    const put = {
      kind: 'put',
      track,
      identity,
      content: { tags, audio, size, fingerprint },
      upload: { library, user, fileName },
      blob: content.hash,
      addedAt: at,
      from,
    } as const
    const happening = {
      type: 'upload.finished',
      id: upload.id,
      at,
      track: async () => ({ id: track, tags, audio }),
    } as const
    const revision = await records.apply([put], undefined, () => tell(user, happening))
    // Only once the index counts its bytes may the upload stop counting as one that has been begun: see the quota.
    await index.waitFor(revision).catch((error) => {
      if (!isCoded(error, 'BEHIND')) throw error
    })
    return { track, title: content.tags.title, duplicate: false, revision }
  }

  return {
    async add(upload, viewer) {
      const { revision } = await store.status()
      await index.waitFor(revision)
      const existing = await find(upload, viewer)
      if (!existing) return commit(upload)
      const known = uploadOf(existing.id)
      if (!known) await dropSurplus(upload.content.hash, places.files(existing))
      // After a crash the track may be there because this upload made it.
      const own = known?.user === upload.user && known.fileName === upload.fileName
      const duplicate = !own || known.addedAt < upload.createdAt
      return { track: existing.id, title: existing.title, duplicate, revision }
    },
  }
}
