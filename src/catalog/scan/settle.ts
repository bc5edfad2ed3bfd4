import { lstat } from 'node:fs/promises'
import type { File, Tags, Track } from '../../protocol/facts/catalog.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import { createBreather } from '../breathe.ts'
import type { Change, Drop, Put } from '../changes.ts'
import { albumParts } from '../facts.ts'
import { albumFolder, albumIdentity, bornTrackId, folderContexts, foldName } from '../identity.ts'
import type { Records } from '../records.ts'
import type { Reading } from '../tags/messages.ts'
import type { KnownPlace, KnownTrack, Lookup } from './lookup.ts'
import type { FoundFile } from './messages.ts'
import { pathBytes } from './path.ts'
import type { Vanished } from './vanished.ts'

/** A file that was met and read. */
export interface ReadFile {
  readonly found: FoundFile
  readonly reading: Extract<Reading, { ok: true }>
}

export interface Settling {
  readonly library: Id
  readonly store: Store
  readonly lookup: Lookup
  readonly records: Records
  /** The folders of all libraries of this machine, to see whether a file is still where it was. */
  readonly roots: ReadonlyMap<Id, string>
  /** Files that were known and are no longer there, by path; those that turn up elsewhere are taken out. */
  readonly vanished: Vanished
  /** The library had no file before: when its files were changed then tells more than that they were found now. */
  readonly isNew: boolean
  /** Album folders that have been met: in a new library, only these can hold anything that is known. */
  readonly folders: Set<string>
}

export interface Settled {
  readonly changes: Change[]
  readonly added: number
  readonly changed: number
  readonly moved: number
}

/** Decides which track each of the files is, and of which album. */
export async function settle(
  scan: Settling,
  files: readonly ReadFile[],
  signal: AbortSignal,
): Promise<Settled> {
  const { identities, regrouped } = await identify(scan, files, signal)
  const puts: Put[] = [...regrouped]
  const drops: Drop[] = []
  const counts = { added: 0, changed: 0, moved: 0 }
  /** Tracks of this batch by content, and those that are spoken for. */
  const taken = new Map<Id, ReadFile>()
  const fresh = new Map<string, Id>()

  const breathe = createBreather()
  for (const file of files) {
    await breathe()
    const { found, reading } = file
    const before = scan.lookup.at(scan.library, found.path)
    const who = await whoIs(scan, file, before, taken, fresh, signal)
    const identity = identities.get(file)
    if (identity === undefined) continue
    taken.set(who.track, file)
    counts[who.kind]++
    if (who.kind === 'added') fresh.set(reading.fingerprint, who.track)
    puts.push({
      kind: 'put',
      track: who.track,
      identity,
      content: {
        tags: reading.tags,
        audio: reading.audio,
        size: reading.size,
        fingerprint: reading.fingerprint,
      },
      file: fileFact(scan.library, file),
      addedAt: scan.isNew ? Math.min(Date.now(), reading.modifiedAt) : Date.now(),
      from: who.from,
    })
    for (const place of who.left) {
      drops.push({
        kind: 'drop',
        track: place.track,
        library: place.library,
        path: place.path,
        from: place.album,
      })
      if (place.library === scan.library && place.path !== found.path) scan.vanished.delete(place.path)
    }
    if (before && before.track !== who.track) {
      drops.push({
        kind: 'drop',
        track: before.track,
        library: scan.library,
        path: found.path,
        from: before.album,
      })
    }
  }
  return { changes: [...puts, ...drops], ...counts }
}

function fileFact(library: Id, { found, reading }: ReadFile): File {
  return {
    library,
    path: found.path,
    modifiedAt: reading.modifiedAt,
    ...(found.lyricsFile === undefined ? {} : { lyricsFile: found.lyricsFile }),
    ...(found.lyricsModifiedAt === undefined ? {} : { lyricsModifiedAt: found.lyricsModifiedAt }),
    ...(found.coverFile === undefined ? {} : { coverFile: found.coverFile }),
    ...(found.coverModifiedAt === undefined ? {} : { coverModifiedAt: found.coverModifiedAt }),
  }
}

interface Who {
  readonly kind: 'added' | 'changed' | 'moved'
  readonly track: Id
  readonly from: Id | undefined
  /** Places where the track stood and stands no more. */
  readonly left: readonly KnownPlace[]
}

async function whoIs(
  scan: Settling,
  file: ReadFile,
  before: KnownPlace | undefined,
  taken: ReadonlyMap<Id, ReadFile>,
  fresh: ReadonlyMap<string, Id>,
  signal: AbortSignal,
): Promise<Who> {
  const { fingerprint, tags } = file.reading
  if (before?.fingerprint === fingerprint)
    return { kind: 'changed', track: before.track, from: before.album, left: [] }

  for (const twin of scan.lookup.ofContent(fingerprint)) {
    const places = scan.lookup.placesOf(twin.id)
    const left = await gone(scan, places)
    // Equal samples with other tags are another track: a copy in a second album, with the same sound.
    if (left.length > 0 || twin.title === tags.title) {
      return {
        kind: left.length > 0 ? 'moved' : before ? 'changed' : 'added',
        track: twin.id,
        from: twin.album,
        left,
      }
    }
  }
  const sibling = fresh.get(fingerprint)
  if (sibling !== undefined && taken.get(sibling)?.reading.tags.title === tags.title) {
    return { kind: 'added', track: sibling, from: undefined, left: [] }
  }
  if (before && !taken.has(before.track)) {
    // The same bytes may lie elsewhere as well; then only this copy has been retagged, and is another track now.
    const others = scan.lookup
      .placesOf(before.track)
      .filter(({ path, library }) => path !== before.path || library !== before.library)
    const gonePlaces = await gone(scan, others)
    if (gonePlaces.length === others.length) {
      return { kind: 'changed', track: before.track, from: before.album, left: gonePlaces }
    }
  }
  const moved = before ? undefined : await movedAndRetagged(scan, file, taken, signal)
  if (moved) return moved

  const born = await scan.records.inUse(bornTrackId(fingerprint), signal)
  const free = !taken.has(born) && scan.lookup.track(born) === undefined
  const track = free ? born : bornTrackId(fingerprint, `${scan.library}/${file.found.path}`)
  return { kind: 'added', track, from: undefined, left: [] }
}

/** Those of the places where the file is no more as it was known. */
async function gone(scan: Settling, places: readonly KnownPlace[]): Promise<KnownPlace[]> {
  const checks = places.map(async (place) => {
    const root = scan.roots.get(place.library)
    // Of a library that is not on this machine nothing is known.
    if (root === undefined) return []
    try {
      const stat = await lstat(pathBytes(`${root}/${place.path}`))
      return stat.size === place.size && Math.trunc(stat.mtimeMs) === place.modifiedAt ? [] : [place]
    } catch (error) {
      const missing =
        error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      // An unmounted library is not one whose files have moved.
      return missing && (await exists(root)) ? [place] : []
    }
  })
  return (await Promise.all(checks)).flat()
}

async function exists(path: string): Promise<boolean> {
  return await lstat(pathBytes(path)).then(
    () => true,
    () => false,
  )
}

/**
 * A vanished track that this new file must be: the sound has the same length and form, and it is the same recording,
 * or has the same file name, or the same title and artist; and there is only one such.
 */
async function movedAndRetagged(
  scan: Settling,
  { found, reading }: ReadFile,
  taken: ReadonlyMap<Id, ReadFile>,
  signal: AbortSignal,
): Promise<Who | undefined> {
  if (scan.vanished.size === 0) return undefined
  const { audio, tags } = reading
  const name = nameOf(found.path)
  const sure = []
  for (const one of scan.vanished.alike(audio)) {
    if (taken.has(one.place.track)) continue
    const sameName = nameOf(one.place.path) === name
    const sameTitle =
      foldName(one.track.title) === foldName(tags.title) &&
      foldName(one.track.artist ?? '') === foldName(artistLine(tags))
    if (sameName || sameTitle || (await isRecording(scan.store, one.track, tags, signal))) sure.push(one)
  }
  const [only] = sure
  if (!only || sure.length > 1) return undefined
  const left = await gone(scan, scan.lookup.placesOf(only.track.id))
  return { kind: 'moved', track: only.track.id, from: only.track.album, left }
}

async function isRecording(
  store: Store,
  track: KnownTrack,
  tags: Tags,
  signal: AbortSignal,
): Promise<boolean> {
  const { recording } = tags.musicBrainz
  if (recording === undefined) return false
  for await (const fact of albumParts.walk(store, { under: `${track.album}/`, skip: () => {} }, signal)) {
    const own = fact.value.tracks.find(({ id }) => id === track.id)
    if (own) return own.tags.musicBrainz.recording === recording
  }
  return false
}

function artistLine(tags: Tags): string {
  return tags.artistDisplay ?? tags.artists.map(({ name }) => name).join(', ')
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Folders of more files than this are no album: their files are weighed without those that were known before. */
const mostSiblings = 500

/**
 * The album identity of each file, in view of what else lies in its folder. A file that joins a folder may make another
 * album of it (by one artist, then by various): files known before then follow, in `regrouped`.
 */
async function identify(scan: Settling, files: readonly ReadFile[], signal: AbortSignal) {
  const identities = new Map<ReadFile, Id>()
  const regrouped: Put[] = []
  const breathe = createBreather()
  for (const [folder, group] of Map.groupBy(files, ({ found }) => albumFolder(found.path))) {
    await breathe()
    const own = group.map(({ reading }) => reading.tags)
    const others = scan.isNew && !scan.folders.has(folder) ? [] : await siblings(scan, folder, group, signal)
    scan.folders.add(folder)
    const contexts = folderContexts(scan.library, folder, [...own, ...others.map(({ track }) => track.tags)])
    const identityOf = (tags: Tags, at: number) =>
      albumIdentity(tags, contexts[at] ?? { library: scan.library, folder })
    for (const [at, file] of group.entries()) identities.set(file, identityOf(file.reading.tags, at))
    for (const [at, { track, album, identity: present }] of others.entries()) {
      const identity = identityOf(track.tags, own.length + at)
      if (identity === present || !isOpen(track.tags)) continue
      const { tags, audio, size, fingerprint, addedAt } = track
      const content = { tags, audio, size, fingerprint }
      regrouped.push({ kind: 'put', track: track.id, identity, content, addedAt, from: album })
    }
  }
  return { identities, regrouped }
}

/** Whether the tags leave open whose album it is. */
function isOpen(tags: Tags): boolean {
  return (
    tags.album !== undefined &&
    tags.musicBrainz.release === undefined &&
    tags.albumArtists.length === 0 &&
    !tags.compilation
  )
}

interface Sibling {
  readonly track: Track
  readonly album: Id
  readonly identity: Id | undefined
}

/** The known tracks in the same album folder whose files are not read now. */
async function siblings(
  scan: Settling,
  folder: string,
  group: readonly ReadFile[],
  signal: AbortSignal,
): Promise<Sibling[]> {
  const read = new Set(group.map(({ found }) => found.path))
  const known = scan.lookup
    .below(scan.library, folder, mostSiblings)
    .filter(({ path }) => albumFolder(path) === folder && !read.has(path) && !scan.vanished.has(path))
  const wanted = new Set(known.map(({ track }) => track))
  const found: Sibling[] = []
  for (const album of new Set(known.map((place) => place.album))) {
    for await (const { value } of albumParts.walk(
      scan.store,
      { under: `${album}/`, skip: () => {} },
      signal,
    )) {
      for (const track of value.tracks) {
        if (wanted.has(track.id)) found.push({ track, album, identity: value.identity })
      }
    }
  }
  return found
}
