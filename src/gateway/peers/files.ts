import { lstat } from 'node:fs/promises'
import { z } from 'zod'
import type { InPlace, Range } from '../../blobs/blobs.ts'
import type { Places } from '../../catalog/places.ts'
import { pathBytes } from '../../catalog/scan/path.ts'
import { CodedError } from '../../protocol/errors.ts'
import { largestPicture } from '../../protocol/facts/sizes.ts'
import { id, timestamp } from '../../protocol/ids.ts'
import { sendBytes } from '../media/answer.ts'
import { goneSignalOf } from '../signal.ts'
import type { PeerRoutes } from './server.ts'

export interface PeerFiles {
  readonly places: Pick<Places, 'root'>
  readonly inPlace: Pick<InPlace, 'open'>
}

const asked = z.object({
  /** In the text form of the facts. */
  path: z.string().max(20_000),
  /** What is known of a music file; a picture beside the music is given as it is. */
  size: z.coerce.number().int().nonnegative().optional(),
  modifiedAt: z.coerce.number().pipe(timestamp).optional(),
})
const pictures = /\.(?:jpe?g|png|webp|gif|bmp|avif|tiff?)$/i

/**
 * Files of this node's music folders that no blob's name stands for: music that has not been read whole yet, and
 * pictures beside it. Nothing else is given, and nothing from outside of the folders.
 */
export function peerFileRoutes({ places, inPlace }: PeerFiles): PeerRoutes {
  return (app) => {
    app.get(
      '/files/:library',
      { schema: { params: z.object({ library: id }), querystring: asked } },
      async (request, reply) => {
        const { path, size, modifiedAt } = request.query
        const root = places.root(request.params.library)
        if (root === null) throw new CodedError('FILE_MISSING', 'the library is not on this node')
        const file = { root, path: pathBytes(path) }
        const isMusic = size !== undefined && modifiedAt !== undefined
        const known = isMusic ? { size, modifiedAt } : await pictureAt(file, path)
        const reader = await inPlace.open({ ...file, ...known }, goneSignalOf(reply))
        const representation = {
          size: reader.size,
          etag: `"${known.size.toString(36)}-${known.modifiedAt.toString(36)}"`,
          mediaType: 'application/octet-stream',
          open: (range: Range, signal: AbortSignal) => reader.chunks(range, signal),
          [Symbol.dispose]: () => reader[Symbol.dispose](),
        }
        await sendBytes(request, reply, representation, {})
      },
    )
  }
}

async function pictureAt({ root, path }: { root: string | Buffer; path: string | Buffer }, shown: string) {
  if (!pictures.test(shown)) throw new CodedError('FORBIDDEN', 'it is no picture')
  const absolute = Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(path)])
  const found = await lstat(absolute).catch(() => null)
  if (found === null) throw new CodedError('FILE_MISSING', 'there is no such picture')
  if (found.size > largestPicture) throw new CodedError('TOO_LARGE', 'the picture')
  return { size: found.size, modifiedAt: Math.trunc(found.mtimeMs) }
}
