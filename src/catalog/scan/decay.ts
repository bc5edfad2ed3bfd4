import { isDeepStrictEqual } from 'node:util'
import type { PlacedFile } from '../../blobs/blobs.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Track } from '../../protocol/facts/catalog.ts'
import type { BlobHash, Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import { albumParts } from '../facts.ts'
import type { Places } from '../places.ts'
import type { Reading } from '../tags/messages.ts'
import type { KnownPlace, Lookup } from './lookup.ts'
import type { FoundFile } from './messages.ts'

export interface DecayOptions {
  readonly store: Store
  readonly places: Pick<Places, 'files'>
  readonly lookup: Pick<Lookup, 'at'>
  readonly library: Id
  /** Reads a file whole and compares it with its hash; absent: only the samples of its fingerprint are compared. */
  readonly verify:
    | ((file: PlacedFile & { readonly hash: BlobHash }) => Promise<'sound' | 'corrupt'>)
    | undefined
}

/**
 * Tells damage from change. Whoever changes a file also changes its time: where size and time are those that are known
 * while the bytes are not those of the known hash, a disk has damaged it, and what was read from it is not believed.
 * Answers for each file whether it has decayed.
 */
export async function findDecay(
  options: DecayOptions,
  files: readonly { readonly found: FoundFile; readonly reading: Reading }[],
  signal: AbortSignal,
): Promise<boolean[]> {
  const { store, places, lookup, library, verify } = options
  const albums = new Map<Id, Promise<ReadonlyMap<Id, Track>>>()

  async function hasDecayed(found: FoundFile, reading: Reading): Promise<boolean> {
    const before = lookup.at(library, found.path)
    if (before?.blob === undefined || !isUntouched(before, found, reading)) return false
    if (reading.ok && reading.fingerprint !== before.fingerprint) return true
    // It cannot be read, or other tags come from the same samples: what lies between them is damaged, or another
    // version of Hocket read it before.
    if (verify === undefined || (reading.ok && (await isAsKnown(before, reading)))) return false
    const [file] = places.files({ size: before.size, blob: before.blob, places: [before] })
    return file !== undefined && (await isCorrupt(verify({ ...file, hash: before.blob })))
  }

  async function isAsKnown(before: KnownPlace, { tags, audio }: Extract<Reading, { ok: true }>) {
    const tracks = albums.get(before.album) ?? tracksOf(store, before.album, signal)
    albums.set(before.album, tracks)
    const known = (await tracks).get(before.track)
    return known !== undefined && isDeepStrictEqual([known.tags, known.audio], [tags, audio])
  }

  const decayed: boolean[] = []
  for (const { found, reading } of files) decayed.push(await hasDecayed(found, reading))
  return decayed
}

function isUntouched(before: KnownPlace, found: FoundFile, reading: Reading): boolean {
  const { size, modifiedAt } = reading.ok ? reading : found
  return before.size === size && before.modifiedAt === modifiedAt
}

async function tracksOf(store: Store, album: Id, signal: AbortSignal): Promise<ReadonlyMap<Id, Track>> {
  const found = new Map<Id, Track>()
  for await (const { value } of albumParts.walk(store, { under: `${album}/`, skip: () => {} }, signal)) {
    for (const track of value.tracks) found.set(track.id, track)
  }
  return found
}

async function isCorrupt(verified: Promise<'sound' | 'corrupt'>): Promise<boolean> {
  try {
    return (await verified) === 'corrupt'
  } catch (error) {
    // It has changed or gone meanwhile: the next scan sees to it.
    if (error instanceof CodedError) return false
    throw error
  }
}
