import { z } from 'zod'
import { sendBytes } from '../media/answer.ts'
import { picturesOf, playlistPicture } from '../media/pictures.ts'
import { type Asking, answered, endpoint, type Parts } from './endpoint.ts'
import { notFound } from './failure.ts'
import { findItem, requireGuid } from './item.ts'
import { itemId, optional, required, text, wholeNumber } from './parameters.ts'

/** The picture of an album, artist, song or playlist: there is always one, drawn where nothing else is found. */
export const getCoverArt = endpoint(
  z.object({ id: required(itemId), size: optional(wholeNumber(1, 4_096)) }),
  async (parts, asking, { id, size }) => {
    const { request, reply, signal, viewer } = asking
    const { name, sources, mosaic } = await pictureOf(parts, asking, id)
    const wanted = {
      id,
      name,
      mosaic,
      pictures: picturesOf(sources, viewer, parts.catalog),
      accept: request.headers.accept,
      size,
      v: undefined,
    }
    const { bytes } = await parts.renditions.cover(wanted, signal)
    await sendBytes(request, reply, bytes, { vary: 'accept' })
    return answered
  },
)

async function pictureOf({ catalog, listening }: Parts, { viewer, signal }: Asking, id: string) {
  const item = findItem(catalog, viewer, id, ['album', 'track', 'artist'])
  if (item !== null) {
    return { name: item.name, sources: catalog.pictures(viewer, item.kind, item.id), mosaic: false }
  }
  return playlistPicture(viewer, requireGuid(id, 'picture'), { catalog, listening }, signal)
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
