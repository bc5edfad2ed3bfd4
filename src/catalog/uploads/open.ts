import { join } from 'node:path'
import type { Blobs } from '../../blobs/blobs.ts'
import { checkSpace } from '../../blobs/temporary.ts'
import type { UploadSummary } from '../../protocol/api/uploads.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Catalog, Viewer } from '../catalog.ts'
import type { TagReader } from '../tags/reader.ts'
import { createFinisher, type Spread } from './finish.ts'
import { openLedger, type UploadRecord } from './ledger.ts'
import { createUploadedTracks, type TracksOptions } from './tracks.ts'
import type { Uploads } from './uploads.ts'

export interface UploadsOptions extends Omit<TracksOptions, 'blobs' | 'catalog'> {
  readonly dataFolder: string
  readonly blobs: TracksOptions['blobs'] & Pick<Blobs, 'adopt' | 'size'>
  readonly catalog: Pick<Catalog, 'source' | 'uploadedBytes'>
  readonly tagReader: Pick<TagReader, 'readTags'>
  readonly spread: Spread
  /** The user as they are now, or null where they are gone or disabled. */
  readonly uploader: (user: Id) => Uploader | null
  /** Told of what kept an upload from being finished, other than the upload itself. */
  readonly onError: (error: unknown) => void
}

export interface Uploader {
  readonly administrator: boolean
  readonly quotaBytes: number
}

/** The largest file: some hours of uncompressed audio. */
const mostBytes = 4 * 1024 ** 3
/** Unfinished uploads of one user: a large folder dropped into the page at once. */
const mostUnfinished = 5_000
const expireMs = 7 * 24 * 3_600_000
const sweepMs = 3_600_000

/** Uploads kept in `uploads/` of the data folder, until they are blobs. */
export async function openUploads(options: UploadsOptions): Promise<Uploads> {
  const { dataFolder, catalog, uploader, onError } = options
  const folder = join(dataFolder, 'uploads')
  const ledger = await openLedger(folder)
  const finisher = createFinisher({
    ...options,
    ledger,
    tracks: createUploadedTracks(options),
    viewerOf,
    admit,
  })
  // What speaks tus takes 4 MB, and is loaded when somebody uploads.
  let loading: Promise<Uploads['handle']> | undefined
  async function loadHandler(): Promise<Uploads['handle']> {
    const [{ createHandler }, { FolderStore }] = await Promise.all([
      import('./handler.ts'),
      import('./data-store.ts'),
    ])
    const store = new FolderStore(ledger, (record) => finisher.finish(record), expireMs)
    return createHandler({ ledger, store, finisher, create, mostBytes })
  }
  const handle: Uploads['handle'] = async (...asked) => {
    loading ??= loadHandler()
    return (await loading)(...asked)
  }
  const ending = new AbortController()
  const sweeper = setInterval(() => void sweep(), sweepMs).unref()

  function unfinished(): UploadRecord[] {
    return [...ledger.records.values()].filter(({ result, problem }) => !result && !problem)
  }

  function personOf(user: Id): Uploader {
    const person = uploader(user)
    if (!person) throw new CodedError('FORBIDDEN', 'the account is gone or disabled')
    return person
  }

  function viewerOf(user: Id): Viewer {
    return { user, administrator: personOf(user).administrator }
  }

  /** Throws unless the user may have this upload besides all else that they have or have begun. */
  async function admit({ id, user, size }: UploadRecord): Promise<void> {
    const { quotaBytes } = personOf(user)
    const others = unfinished().filter((record) => record.user === user && record.id !== id)
    const begun = others.reduce((sum, record) => sum + record.size, 0)
    const left = Math.max(0, quotaBytes - begun - (await catalog.uploadedBytes(user)))
    if (size > left) throw new CodedError('QUOTA_EXCEEDED', `the file has ${size} bytes, ${left} are left`)
  }

  async function create(record: UploadRecord): Promise<void> {
    const begun = unfinished().filter(({ user }) => user === record.user).length
    if (begun >= mostUnfinished) throw new CodedError('TOO_MANY_REQUESTS', `${begun} uploads are unfinished`)
    await admit(record)
    await checkSpace(folder, record.size)
    await ledger.save(record)
  }

  async function sweep(): Promise<void> {
    const before = Date.now() - expireMs
    for (const { id, createdAt } of ledger.records.values())
      if (createdAt < before && !finisher.isRunning(id)) await ledger.remove(id).catch(onError)
  }

  async function recover(): Promise<void> {
    await sweep()
    for (const record of unfinished()) {
      if (ending.signal.aborted) return
      if ((await ledger.offset(record)) < record.size) continue
      await finisher.finish(record).catch((error) => {
        if (!ledger.records.get(record.id)?.problem) onError(error)
      })
    }
  }

  async function summarize(record: UploadRecord): Promise<UploadSummary> {
    const { id, fileName, size, createdAt, result, problem } = record
    const offset = await ledger.offset(record)
    const state = result ? 'done' : problem ? 'refused' : offset < size ? 'receiving' : 'finishing'
    const summary = { id, fileName, size, offset, state, createdAt, expiresAt: createdAt + expireMs } as const
    if (!result) return { ...summary, ...(problem && { problem }) }
    const { revision: _, ...known } = result
    return { ...summary, result: known }
  }

  const recovered = recover()

  return {
    handle,
    list(user) {
      const own = [...ledger.records.values()].filter((record) => record.user === user)
      return Promise.all(own.toSorted((one, other) => other.createdAt - one.createdAt).map(summarize))
    },
    has: (upload) => ledger.records.has(upload),
    recovered: () => recovered,
    async [Symbol.asyncDispose]() {
      clearInterval(sweeper)
      ending.abort()
      await recovered
    },
  }
}
