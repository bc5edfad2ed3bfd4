import type { AlbumPart, Track } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import type { Operation } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import { createBreather } from './breathe.ts'
import { albumParts, aliases, partId } from './facts.ts'

const mostTracks = 200
/** A fact may have 1 MiB; this is counted before compression. */
const mostWeight = 768 * 1_024

/** An alias as it stands in the store. */
export interface Known {
  readonly id: Id
  readonly revision: number
}

/** An album as it is being changed: its parts by number. */
export interface Album {
  readonly id: Id
  identity: Id | undefined
  /** Of a new album: the one that all of its tracks have left while others stayed. */
  formerly: Id | undefined
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
export interface Desk {
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

export function createDesk(store: Store, known: ReadonlyMap<Id, Known>, signal?: AbortSignal): Desk {
  const loading = new Map<Id, Promise<Album>>()
  const albums = new Map<Id, Album>()
  const places = new Map<Id, Album>()
  const leaders = new Map<Id, Id>()
  const newAliases = new Map<Id, Id>()

  async function read(id: Id): Promise<Album> {
    const album: Album = { id, identity: undefined, formerly: undefined, parts: new Map() }
    for await (const fact of albumParts.walk(store, { under: `${id}/` }, signal)) {
      const number = Number.parseInt(fact.id.slice(id.length + 1), 10)
      album.identity ??= fact.value.identity
      album.formerly ??= fact.value.formerly
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
    if (album.formerly !== undefined) value.formerly = album.formerly
    return [albumParts.replace(partId(album.id, number), revision, value)]
  })
}

export function tracksOf(album: Album): Track[] {
  return [...album.parts.values()].flatMap(({ tracks }) => tracks)
}

export function isEmpty(album: Album): boolean {
  return album.parts.values().every(({ tracks }) => tracks.length === 0)
}

export function take(desk: Desk, album: Album, track: Id) {
  desk.places.delete(track)
  for (const part of album.parts.values()) {
    const at = part.tracks.findIndex(({ id }) => id === track)
    if (at < 0) continue
    part.tracks.splice(at, 1)
    delete part.weight
    part.dirty = true
  }
}

export function replaceIn(album: Album, track: Track): boolean {
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

export function insert(desk: Desk, album: Album, track: Track) {
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
