import { isDeepStrictEqual } from 'node:util'
import type { File, Track } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import { derivedId } from '../store/derived-id.ts'
import { createBreather } from './breathe.ts'
import type { Change, Drop, Put, Withdraw } from './changes.ts'
import { type Album, type Desk, insert, isEmpty, replaceIn, take, tracksOf } from './desk.ts'
import { bornTrackId } from './identity.ts'

/** Works out what the albums are to say. */
export async function plan(desk: Desk, changes: readonly Change[]): Promise<Operation[][]> {
  const puts = changes.filter((change) => change.kind === 'put')
  const identities = [...new Set(puts.map(({ identity }) => identity))]
  await Promise.all([
    ...changes.flatMap(({ from }) => (from === undefined ? [] : [desk.load(from)])),
    ...identities.map((identity) => find(desk, identity)),
  ])
  for (const identity of identities) {
    const wanted = puts.filter((put) => put.identity === identity)
    const { found } = await find(desk, identity)
    if (found) {
      reunite(desk, found, identity, wanted)
      continue
    }
    const heir = renamed(desk, wanted)
    if (heir) await rename(desk, heir, identity, new Set(wanted.map(({ track }) => track)))
    else (await home(desk, identity)).formerly = originOf(wanted)
  }
  const breathe = createBreather()
  for (const change of changes) {
    await breathe()
    if (change.kind === 'put') put(desk, change, await home(desk, change.identity))
    else if (change.kind === 'drop') drop(desk, change)
    else withdraw(desk, change)
  }
  return await desk.groups()
}

/** The album that has this identity, or the id that a new one with it gets. */
async function find(
  desk: Desk,
  identity: Id,
): Promise<{ found: Album | undefined; free: Album | undefined }> {
  const alias = desk.aliasOf(identity)
  let free: Album | undefined
  for (const id of alias === undefined || alias === identity ? [identity] : [alias, identity]) {
    const album = await desk.load(id)
    if (album.parts.size > 0 && (album.identity ?? album.id) === identity)
      return { found: album, free: undefined }
    if (isEmpty(album) && (album.identity === undefined || album.identity === identity)) free ??= album
  }
  return { found: undefined, free }
}

/** The album for tracks of this identity, made where there is none. */
async function home(desk: Desk, identity: Id): Promise<Album> {
  const { found, free } = await find(desk, identity)
  if (found) return found
  let album = free
  // The id that the identity gives birth to is that of an album which has been retagged since.
  for (let salt = 1; album === undefined; salt++) {
    const other = await desk.load(derivedId(`album/${identity}/${salt}`))
    if (isEmpty(other) && other.identity === undefined) album = other
  }
  album.identity = identity
  if (album.id !== identity) desk.setAlias(identity, album.id)
  album.parts.set(0, album.parts.get(0) ?? { number: 0, revision: 0, tracks: [], dirty: false })
  return album
}

/** The album that these tracks leave together: more than half of it goes, so it has been retagged and keeps its id. */
function renamed(desk: Desk, puts: readonly Put[]): Album | undefined {
  const leaving = Map.groupBy(puts, ({ from }) => from)
  let best: { album: Album; count: number } | undefined
  for (const [from, group] of leaving) {
    const album = from === undefined ? undefined : desk.albums.get(from)
    if (!album) continue
    const moving = new Set(group.map(({ track }) => track))
    const all = tracksOf(album)
    const count = all.filter(({ id }) => moving.has(id)).length
    if (count * 2 > all.length && count > (best?.count ?? 0)) best = { album, count }
  }
  return best?.album
}

/** The one album that all of the tracks leave; undefined where some are new, or of another. */
function originOf(puts: readonly Put[]): Id | undefined {
  const [origin, ...others] = new Set(puts.map(({ from }) => from))
  return others.length === 0 ? origin : undefined
}

/**
 * An album that is retagged bit by bit makes a second one of what has been retagged so far. When its last tracks follow,
 * all of them are the album that they were, under its old id: that is the one which clients have kept.
 */
function reunite(desk: Desk, part: Album, identity: Id, puts: readonly Put[]): void {
  const album = part.formerly === undefined ? undefined : desk.albums.get(part.formerly)
  if (album === undefined || isEmpty(album)) return
  const leaving = new Set(puts.map(({ track }) => track))
  if (!tracksOf(album).every(({ id }) => leaving.has(id))) return
  adopt(desk, album, identity)
  for (const track of tracksOf(part)) {
    take(desk, part, track.id)
    insert(desk, album, track)
  }
  desk.link(album, part)
}

/** From now on the album is the one with this identity. */
function adopt(desk: Desk, album: Album, identity: Id): void {
  album.identity = identity
  for (const part of album.parts.values()) part.dirty = true
  if (album.id !== identity) desk.setAlias(identity, album.id)
}

/** Gives the album another identity; tracks that do not go with it return to an album of the old one. */
async function rename(desk: Desk, album: Album, identity: Id, staying: ReadonlySet<Id>) {
  const before = album.identity
  adopt(desk, album, identity)
  if (before === undefined) return
  const others = tracksOf(album).filter(({ id }) => !staying.has(id))
  if (others.length === 0) return
  const target = await home(desk, before)
  for (const track of others) {
    take(desk, album, track.id)
    insert(desk, target, track)
  }
  desk.link(album, target)
}

function put(desk: Desk, change: Put, target: Album) {
  const source = desk.places.get(change.track)
  const before = source && tracksOf(source).find(({ id }) => id === change.track)
  const after = changed(before, change)
  if (source === target && isDeepStrictEqual(before, after)) return
  const now = { ...after, updatedAt: Date.now() }
  if (source === target && replaceIn(target, now)) return
  if (target.formerly !== undefined && target.formerly !== source?.id) forgetOrigin(target)
  if (source) {
    take(desk, source, change.track)
    desk.link(source, target)
  }
  insert(desk, target, now)
}

/** Music has come from elsewhere too: it is an album of its own now. */
function forgetOrigin(album: Album): void {
  album.formerly = undefined
  for (const part of album.parts.values()) part.dirty = true
}

function drop(desk: Desk, { track, library, path }: Drop) {
  const album = desk.places.get(track)
  const before = album && tracksOf(album).find(({ id }) => id === track)
  if (!album || !before) return
  const files = before.files.filter((file) => file.library !== library || file.path !== path)
  if (files.length === before.files.length) return
  if (files.length > 0 || before.upload !== undefined) {
    replaceIn(album, { ...before, files, updatedAt: Date.now() })
    return
  }
  remove(desk, album, before)
}

function withdraw(desk: Desk, change: Withdraw) {
  const album = desk.places.get(change.track)
  const before = album && tracksOf(album).find(({ id }) => id === change.track)
  if (!album || before?.upload === undefined) return
  const { upload: _, ...track } = before
  if (track.files.length > 0) replaceIn(album, { ...track, updatedAt: Date.now() })
  else remove(desk, album, before)
}

function remove(desk: Desk, album: Album, { id, fingerprint }: Track) {
  take(desk, album, id)
  // Were the file to come back, it would be born under another id than the one that stars and playlists hold.
  const born = bornTrackId(fingerprint)
  if (born !== id) desk.setAlias(born, id)
}

function changed(before: Track | undefined, { track, content, file, upload, blob, addedAt }: Put): Track {
  const sameBytes = before?.fingerprint === content.fingerprint && before.size === content.size
  const keptBlob = blob ?? (sameBytes ? before.blob : undefined)
  const keptUpload = upload ?? before?.upload
  const isSame = (known: File) => known.library === file?.library && known.path === file.path
  const files = before?.files ?? []
  const others = files.filter((known) => !isSame(known))
  return {
    id: track,
    ...content,
    ...(keptBlob === undefined ? {} : { blob: keptBlob }),
    files: file ? [...others, withBlobs(file, files.find(isSame))].slice(-100) : others,
    ...(keptUpload === undefined ? {} : { upload: keptUpload }),
    addedAt: before?.addedAt ?? addedAt,
    updatedAt: before?.updatedAt ?? addedAt,
  }
}

/** The file with the blobs of what lies beside it, as far as that is still what was read: a new picture has none yet. */
function withBlobs(file: File, before: File | undefined): File {
  const isSameLyrics =
    before?.lyricsFile === file.lyricsFile && before?.lyricsModifiedAt === file.lyricsModifiedAt
  const isSameCover = before?.coverFile === file.coverFile && before?.coverModifiedAt === file.coverModifiedAt
  return {
    ...file,
    ...(isSameLyrics && before?.lyrics !== undefined && { lyrics: before.lyrics }),
    ...(isSameCover && before?.cover !== undefined && { cover: before.cover }),
  }
}
