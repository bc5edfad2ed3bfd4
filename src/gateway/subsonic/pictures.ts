import { z } from 'zod'
import { sendBytes } from '../media/answer.ts'
import { podcastPicture } from '../media/episodes.ts'
import { picturesOf, playlistPicture } from '../media/pictures.ts'
import type { WantedPicture } from '../media/renditions.ts'
import { coverArt, ofCoverArt } from './cover-art.ts'
import { type Asking, answered, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem, requireGuid } from './item.ts'
import { isNobody } from './nobody.ts'
import { itemId, optional, required, text, wholeNumber } from './parameters.ts'
import { nameless } from './song.ts'

const pictureId = itemId.transform((given) => ({ given, id: ofCoverArt(given) }))

/** The picture of an album, artist, song or playlist: there is always one, drawn where nothing else is found. */
export const getCoverArt = endpoint(
  z.object({ id: required(pictureId), size: optional(wholeNumber(0, 4_096)) }),
  async (parts, asking, { id: { given, id }, size }) => {
    const { request, reply, signal } = asking
    const { name, pictures, mosaic, coverVersion = '' } = await pictureOf(parts, asking, id)
    const isOfNow = coverVersion !== '' && given === coverArt(id, coverVersion)
    const wanted = {
      id,
      name,
      mosaic,
      pictures,
      accept: request.headers.accept,
      // Some clients say 0 where they want it as large as it is.
      size: size || undefined,
      // An id with the version of now names nothing else, ever.
      v: isOfNow ? pictures[0]?.version : undefined,
    }
    const { bytes, immutable } = await parts.renditions.cover(wanted, signal)
    await sendBytes(request, reply, bytes, { immutable, vary: 'accept' })
    return answered
  },
)

/** A picture, and the version of it that ids of covers say, where they do. */
interface Found extends Pick<WantedPicture, 'name' | 'pictures' | 'mosaic'> {
  readonly coverVersion?: string | undefined
}

async function pictureOf(parts: Parts, { viewer, signal }: Asking, id: string): Promise<Found> {
  const { catalog, listening } = parts
  const item = findItem(catalog, viewer, id, ['album', 'track', 'artist'])
  if (item !== null) {
    const sources = catalog.pictures(viewer, item.kind, item.id)
    const pictures = picturesOf(sources, viewer, catalog)
    return { name: item.name, pictures, mosaic: false, coverVersion: sources[0]?.coverVersion }
  }
  if (isNobody(id)) return { name: nameless.artist, pictures: [], mosaic: false }
  const guid = requireGuid(id, 'picture')
  const podcast = podcastPicture(parts.podcasts, guid)
  if (podcast !== null) return { ...podcast, coverVersion: podcast.pictures[0]?.version }
  const { sources, ...playlist } = await playlistPicture(viewer, guid, { catalog, listening }, signal)
  return { ...playlist, pictures: picturesOf(sources, viewer, catalog) }
}

/** A drawn picture with the initials of the name. */
export const getAvatar = endpoint(
  z.object({ username: required(text) }),
  async (parts, asking, { username }) => {
    const { request, reply, signal } = asking
    const person = parts.accounts.userByName(username)
    if (person === null) throw notFound('user')
    const { accept } = request.headers
    const { id, name } = person
    const drawn = { id, name, pictures: [], mosaic: false, accept, size: undefined, v: undefined }
    const { bytes } = await parts.renditions.cover(drawn, signal)
    await sendBytes(request, reply, bytes, { vary: 'accept' })
    return answered
  },
)
