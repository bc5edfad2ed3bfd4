import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog, Viewer } from '../../catalog/catalog.ts'
import type { Production } from '../../media/serve/representation.ts'
import { safeName } from '../../media/zip/names.ts'
import { sizeOfZip, writeZip, type ZipEntry } from '../../media/zip/zip.ts'
import { CodedError, errorCodes, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Metrics } from '../metrics.ts'
import { signalOf } from '../signal.ts'
import { sendBytes } from './answer.ts'
import type { CollectedSong, Collection } from './collections.ts'
import type { Tracks } from './tracks.ts'
import { createTurns } from './turns.ts'

/** Downloads of more than one song: a zip that is written as its songs are read. ADR 0460. */
export interface Archives {
  /**
   * Answers with what `collect` finds. Before the answer begins each song is opened, and one that cannot be is left out
   * and named in a note; what fails afterwards cuts the connection. DOWNLOADS_BUSY; NOT_FOUND
   * where there are no songs; where none can be opened, what the first one threw.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    viewer: Viewer,
    collect: (signal: AbortSignal) => Promise<Collection>,
  ): Promise<void>
}

export interface ArchivesParts {
  readonly catalog: Pick<Catalog, 'source'>
  readonly tracks: Pick<Tracks, 'open'>
  readonly streams: Metrics['streams']
}

/** A song that has been opened, or the note that names those that could not be. */
type Entry = ZipEntry & ({ readonly id: Id } | { readonly note: Uint8Array })

/** Zips that one account may be sent at a time: each reads as fast as its line takes it. */
const mostAtOnce = 3
/** Songs that are looked for at once before the answer begins. */
const openedAtOnce = 8
/** What has not been looked for after so many milliseconds is taken to be there. */
const checkMs = 10_000
/** How long the next song may take to open, in milliseconds. */
const openMs = 30_000

export function createArchives({ catalog, tracks, streams }: ArchivesParts): Archives {
  const begin = createTurns({
    each: mostAtOnce,
    full: () => new CodedError('DOWNLOADS_BUSY', `${mostAtOnce} are under way`),
  })

  /** The song as it can be read now. */
  async function look(viewer: Viewer, song: CollectedSong, signal: AbortSignal): Promise<Entry> {
    using original = await tracks.open(catalog.source(viewer, song.id), signal)
    const { size, lastModified: modifiedAt } = original
    return { id: song.id, name: song.path, size, modifiedAt }
  }

  /** What can be read of the songs, in their order, and a note of the others. */
  async function check(viewer: Viewer, songs: readonly CollectedSong[], signal: AbortSignal) {
    const looks = await eachOf(songs, async (song, late): Promise<Entry | CodedError> => {
      signal.throwIfAborted()
      if (late) return { id: song.id, name: song.path, size: song.size }
      try {
        return await look(viewer, song, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isCoded(error)) throw error
        return error
      }
    })
    const missing = looks.flatMap((found, at) =>
      isCoded(found) ? [{ path: songs[at]?.path ?? '', error: found }] : [],
    )
    const entries = looks.flatMap((found) => (isCoded(found) ? [] : [found]))
    const [first] = missing
    if (first === undefined) return entries
    if (entries.length === 0) throw first.error
    return [...entries, noteOf(missing)]
  }

  async function* read(viewer: Viewer, entry: Entry, gone: AbortSignal): AsyncGenerator<Uint8Array> {
    if ('note' in entry) return yield entry.note
    try {
      const opening = AbortSignal.any([gone, AbortSignal.timeout(openMs)])
      using original = await tracks.open(catalog.source(viewer, entry.id), opening)
      if (original.size !== entry.size) throw new CodedError('FILE_CHANGED')
      yield* original.open({ start: 0, end: entry.size }, gone)
    } catch (error) {
      // The log is to say which song it was.
      if (!isCoded(error)) throw new Error(`${entry.name} could not be read`, { cause: error })
      throw new CodedError(error.code, [entry.name, error.detail].filter(Boolean).join(': '), {
        cause: error,
      })
    }
  }

  function produce(viewer: Viewer, entries: readonly Entry[]): Production {
    const gone = new AbortController()
    return {
      mediaType: 'application/zip',
      bytes: writeZip(entries, (entry) => read(viewer, entry, gone.signal)),
      [Symbol.dispose]: () => gone.abort(new Error('nobody takes the zip any more')),
    }
  }

  return {
    async send(request, reply, viewer, collect) {
      using _turn = begin(viewer.user)
      const signal = signalOf(reply)
      const { name, songs } = await collect(signal)
      if (songs.length === 0) throw new CodedError('NOT_FOUND', 'there are no songs in it')
      const entries = await check(viewer, songs, signal)
      reply.header('content-length', String(sizeOfZip(entries)))
      await sendBytes(
        request,
        reply,
        produce(viewer, entries),
        { downloadAs: `${safeName(name)}.zip` },
        streams,
      )
    },
  }
}

/** Some at a time, and the results in their order. `late`: too much time has passed to do much. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item, late: boolean) => Promise<Result>,
): Promise<Result[]> {
  const until = performance.now() + checkMs
  const results: Result[] = []
  const left = items.entries()
  async function go(): Promise<void> {
    for (const [at, item] of left) results[at] = await work(item, performance.now() > until)
  }
  await Promise.all(Array.from({ length: openedAtOnce }, go))
  return results
}

function noteOf(missing: readonly { readonly path: string; readonly error: CodedError }[]): Entry {
  const lines = missing.map(({ path, error }) => `${path}: ${errorCodes[error.code].title}`)
  const note = Buffer.from(`These songs could not be read when the download began:\n\n${lines.join('\n')}\n`)
  return { name: 'Not included.txt', size: note.length, note }
}
