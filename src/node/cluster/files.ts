import { rmSync } from 'node:fs'
import type { Copy } from '../../blobs/blobs.ts'
import { makeFolder } from '../../blobs/durable.ts'
import { checkSpace, writeTemporary } from '../../blobs/temporary.ts'
import type { CopyInFile, FileElsewhere } from '../../media/originals.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import { largestPicture } from '../../protocol/facts/sizes.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'

/** Files of music folders on other nodes: what `src/gateway/peers/files.ts` gives. */
export interface FilesElsewhere {
  /** Opens a music file that has no blob's name yet. UNREACHABLE, FILE_MISSING, FILE_CHANGED. */
  open(file: FileElsewhere, signal: AbortSignal): Promise<Copy>
  /** Fetches one whole, into a temporary file in `folder` that goes with what is answered. As above; DISK_FULL. */
  bring(file: FileElsewhere, folder: string, signal: AbortSignal): Promise<CopyInFile>
  /** A picture beside the music; null where its node does not answer, or has none there. */
  picture(node: Id, library: Id, path: string, signal: AbortSignal): Promise<{ bytes: Uint8Array } | null>
}

const deadlineMs = 3_000
/** There is no other copy to change over to, so the node may take longer than one that has others beside it. */
const stallMs = 10_000

export function createFilesElsewhere(calls: Pick<Calls, 'open'>): FilesElsewhere {
  async function* chunks(file: FileElsewhere, start: number, end: number, signal: AbortSignal | undefined) {
    if (start >= end) return
    const headers = { range: `bytes=${start}-${end - 1}` }
    const request = { method: 'GET', path: addressOf(file), headers } as const
    using answer = await calls.open(file.node, request, { deadlineMs, stallMs, signal })
    let left = end - start
    for await (const bytes of answer.body) {
      left -= bytes.byteLength
      yield bytes
    }
    if (left !== 0) throw new CodedError('UNREACHABLE', `node ${file.node} ended a file too early`)
  }

  async function open(file: FileElsewhere, signal: AbortSignal): Promise<Copy> {
    const request = { method: 'HEAD', path: addressOf(file) } as const
    using _found = await calls.open(file.node, request, { deadlineMs, stallMs, signal })
    const { size } = file
    return {
      size,
      chunks: (range = { start: 0, end: size }, asked) => chunks(file, range.start, range.end, asked),
      [Symbol.dispose]() {},
    }
  }

  return {
    open,

    async bring(file, folder, signal) {
      using copy = await open(file, signal)
      await makeFolder(folder)
      await checkSpace(folder, file.size)
      const { path } = await writeTemporary(folder, copy.chunks(undefined, signal), signal)
      return {
        size: file.size,
        path,
        // What is made of it is read by a child process; the bytes as they are come from the node itself.
        chunks: (range = { start: 0, end: file.size }, asked) => chunks(file, range.start, range.end, asked),
        // Whoever has it open reads on.
        [Symbol.dispose]: () => rmSync(path, { force: true }),
      }
    },

    async picture(node, library, path, signal) {
      try {
        const request = { method: 'GET', path: addressOf({ library, path }) } as const
        using answer = await calls.open(node, request, { deadlineMs, stallMs, signal })
        const pieces: Uint8Array[] = []
        let length = 0
        for await (const bytes of answer.body) {
          length += bytes.byteLength
          if (length > largestPicture) return null
          pieces.push(Uint8Array.from(bytes))
        }
        return { bytes: Buffer.concat(pieces) }
      } catch (error) {
        signal.throwIfAborted()
        if (isCoded(error)) return null
        throw error
      }
    },
  }
}

function addressOf(file: Pick<FileElsewhere, 'library' | 'path'> & Partial<FileElsewhere>): string {
  const query = new URLSearchParams({ path: file.path })
  if (file.size !== undefined) query.set('size', String(file.size))
  if (file.modifiedAt !== undefined) query.set('modifiedAt', String(file.modifiedAt))
  return `/files/${file.library}?${query}`
}
