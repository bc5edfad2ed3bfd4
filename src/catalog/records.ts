import { isDeepStrictEqual } from 'node:util'
import { CodedError } from '../protocol/errors.ts'
import type { AlbumPart, File, Track } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { createBreather } from './breathe.ts'
import { albumParts, aliases, partId } from './facts.ts'
import { bornTrackId, derivedId } from './identity.ts'
import { transactionsOf } from './transactions.ts'

/** Writes tracks into album-grain facts, so that ids live as long as the music does, whatever is retagged or moved. */
export interface Records {
  /**
   * Makes the changes, in as few transactions as there can be; a track that moves from one album to another does so
   * in one. Repeating it changes nothing. Resolves with the store's revision. Throws CONFLICT where others write the
   * same albums all the time.
   */
  apply(changes: readonly Change[], signal?: AbortSignal): Promise<number>
  /** The id that is in use for a born one. */
  inUse(born: Id, signal?: AbortSignal): Promise<Id>
}

export type Change = Put | Drop | Withdraw

/** The track is to say this, and to stand in the album of this identity. */
export interface Put {
  readonly kind: 'put'
  readonly track: Id
  readonly identity: Id
  readonly content: Pick<Track, 'tags' | 'audio' | 'size' | 'fingerprint'>
  /** A place where its file stands, or the upload that it came by; what is known besides stays. */
  readonly file?: File | undefined
  readonly upload?: Track['upload'] | undefined
  readonly blob?: Track['blob'] | undefined
  /** Used where the track is new. Milliseconds. */
  readonly addedAt: number
  /** The album in which the track is known to stand. */
  readonly from?: Id | undefined
}

/** The track has no file at this place any more. A track without any file or upload goes. */
export interface Drop {
  readonly kind: 'drop'
  readonly track: Id
  readonly library: Id
  readonly path: string
  readonly from: Id
}

/** The track is no upload any more. A track without any file or upload goes. */
export interface Withdraw {
  readonly kind: 'withdraw'
  readonly track: Id
  readonly from: Id
}

const attempts = 20
const mostTracks = 200
/** A fact may have 1 MiB; this is counted before compression. */
const mostWeight = 768 * 1_024

export function createRecords(store: Store): Records {
  let known: Promise<Map<Id, Known>> | undefined

  async function readAliases(signal?: AbortSignal) {
    const found = new Map<Id, Known>()
    for await (const fact of aliases.walk(store, { skip: () => {} }, signal)) {
      found.set(fact.id, { id: fact.value.id, revision: fact.revision })
    }
    return found
  }
  function aliasMap(signal?: AbortSignal) {
    known ??= readAliases(signal).catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }

  return {
    async inUse(born, signal) {
      return (await aliasMap(signal)).get(born)?.id ?? born
    },

    async apply(changes, signal) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const desk = createDesk(store, await aliasMap(signal), signal)
        const groups = await plan(desk, changes)
        let revision = 0
        let ok = true
        for (const transaction of transactionsOf(groups)) {
          const outcome = await store.commit(transaction, signal)
          revision = outcome.revision
          ok = outcome.ok
          if (!ok) break
        }
        if (desk.aliased) known = undefined
        if (ok) return revision || (await store.status(signal)).revision
        known = undefined
      }
      throw new CodedError('CONFLICT', 'the albums change all the time')
    },
  }
}

interface Known {
  readonly id: Id
  readonly revision: number
}

/** An album as it is being changed: its parts by number. */
interface Album {
  readonly id: Id
  identity: Id | undefined
  readonly parts: Map<number, Part>
}

interface Part {
  readonly number: number
  readonly revision: number
  tracks: Track[]
  /** The characters of the tracks as JSON, where they have been counted. */
  weight?: number
  dirty: boolean
}

/** The albums that a batch touches, as they are loaded and changed, and the aliases that follow. */
interface Desk {
  load(album: Id): Promise<Album>
  readonly albums: ReadonlyMap<Id, Album>
  /** Which of the loaded albums holds a track. */
  readonly places: Map<Id, Album>
  aliasOf(born: Id): Id | undefined
  setAlias(born: Id, id: Id): void
  /** Albums between which tracks have moved are written together. */
  link(one: Album, other: Album): void
  groups(): Promise<Operation[][]>
  readonly aliased: boolean
}

function createDesk(store: Store, known: ReadonlyMap<Id, Known>, signal?: AbortSignal): Desk {
  const loading = new Map<Id, Promise<Album>>()
  const albums = new Map<Id, Album>()
  const places = new Map<Id, Album>()
  const leaders = new Map<Id, Id>()
  const newAliases = new Map<Id, Id>()

  async function read(id: Id): Promise<Album> {
    const album: Album = { id, identity: undefined, parts: new Map() }
    for await (const fact of albumParts.walk(store, { under: `${id}/` }, signal)) {
      const number = Number.parseInt(fact.id.slice(id.length + 1), 10)
      album.identity ??= fact.value.identity
      album.parts.set(number, {
        number,
        revision: fact.revision,
        tracks: [...fact.value.tracks],
        dirty: false,
      })
    }
    albums.set(id, album)
    for (const track of tracksOf(album)) places.set(track.id, album)
    return album
  }
  function leader(id: Id): Id {
    const next = leaders.get(id)
    return next === undefined ? id : leader(next)
  }

  return {
    albums,
    places,
    get aliased() {
      return newAliases.size > 0
    },
    load(id) {
      const present = loading.get(id) ?? read(id)
      loading.set(id, present)
      return present
    },
    aliasOf: (born) => newAliases.get(born) ?? known.get(born)?.id,
    setAlias(born, id) {
      if (this.aliasOf(born) !== id) newAliases.set(born, id)
    },
    link(one, other) {
      const [a, b] = [leader(one.id), leader(other.id)]
      if (a !== b) leaders.set(b, a)
    },
    async groups() {
      const breathe = createBreather()
      const written: Operation[][] = []
      for (const group of Map.groupBy(albums.values(), (album) => leader(album.id)).values()) {
        written.push(group.flatMap(operationsOf))
        await breathe()
      }
      const aliasWrites = [...newAliases].map(([born, id]) =>
        aliases.replace(born, known.get(born)?.revision ?? 0, { id }),
      )
      return [...written, ...aliasWrites.map((operation) => [operation])].filter((group) => group.length > 0)
    },
  }
}

function operationsOf(album: Album): Operation[] {
  return [...album.parts.values()].flatMap(({ number, revision, tracks, dirty }) => {
    if (!dirty || (tracks.length === 0 && revision === 0)) return []
    if (tracks.length === 0) return [albumParts.remove(partId(album.id, number), revision)]
    const value: AlbumPart = { album: album.id, tracks }
    if (album.identity !== undefined) value.identity = album.identity
    return [albumParts.replace(partId(album.id, number), revision, value)]
  })
}

/** Works out what the albums are to say. */
async function plan(desk: Desk, changes: readonly Change[]): Promise<Operation[][]> {
  const puts = changes.filter((change) => change.kind === 'put')
  const identities = [...new Set(puts.map(({ identity }) => identity))]
  await Promise.all([
    ...changes.flatMap(({ from }) => (from === undefined ? [] : [desk.load(from)])),
    ...identities.map((identity) => find(desk, identity)),
  ])
  for (const identity of identities) {
    if ((await find(desk, identity)).found) continue
    const wanted = puts.filter((put) => put.identity === identity)
    const heir = renamed(desk, wanted)
    if (heir) await rename(desk, heir, identity, new Set(wanted.map(({ track }) => track)))
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

/** Gives the album another identity; tracks that do not go with it return to an album of the old one. */
async function rename(desk: Desk, album: Album, identity: Id, staying: ReadonlySet<Id>) {
  const before = album.identity
  album.identity = identity
  for (const part of album.parts.values()) part.dirty = true
  if (album.id !== identity) desk.setAlias(identity, album.id)
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
  if (source) {
    take(desk, source, change.track)
    desk.link(source, target)
  }
  insert(desk, target, now)
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
  const others =
    before?.files.filter((known) => known.library !== file?.library || known.path !== file.path) ?? []
  return {
    id: track,
    ...content,
    ...(keptBlob === undefined ? {} : { blob: keptBlob }),
    files: file ? [...others, file].slice(-100) : others,
    ...(keptUpload === undefined ? {} : { upload: keptUpload }),
    addedAt: before?.addedAt ?? addedAt,
    updatedAt: before?.updatedAt ?? addedAt,
  }
}

function tracksOf(album: Album): Track[] {
  return [...album.parts.values()].flatMap(({ tracks }) => tracks)
}

function isEmpty(album: Album): boolean {
  return album.parts.values().every(({ tracks }) => tracks.length === 0)
}

function take(desk: Desk, album: Album, track: Id) {
  desk.places.delete(track)
  for (const part of album.parts.values()) {
    const at = part.tracks.findIndex(({ id }) => id === track)
    if (at < 0) continue
    part.tracks.splice(at, 1)
    delete part.weight
    part.dirty = true
  }
}

function replaceIn(album: Album, track: Track): boolean {
  for (const part of album.parts.values()) {
    const at = part.tracks.findIndex(({ id }) => id === track.id)
    if (at < 0) continue
    part.tracks[at] = track
    delete part.weight
    part.dirty = true
    return true
  }
  return false
}

function insert(desk: Desk, album: Album, track: Track) {
  const weight = weightOf([track])
  desk.places.set(track.id, album)
  for (let number = 0; ; number++) {
    const part = album.parts.get(number) ?? { number, revision: 0, tracks: [], dirty: false }
    album.parts.set(number, part)
    if (part.tracks.length >= mostTracks) continue
    part.weight ??= weightOf(part.tracks)
    if (part.tracks.length > 0 && part.weight + weight > mostWeight) continue
    part.weight += weight
    part.tracks.push(track)
    part.dirty = true
    return
  }
}

function weightOf(tracks: readonly Track[]): number {
  return JSON.stringify(tracks).length
}
