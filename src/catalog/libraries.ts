import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { isAbsolute, normalize } from 'node:path'
import { CodedError } from '../protocol/errors.ts'
import type { Library } from '../protocol/facts/catalog.ts'
import type { Id } from '../protocol/ids.ts'
import { join, type Operation, transact, update } from '../store/collection.ts'
import type { Store } from '../store/store.ts'
import type { Drop } from './changes.ts'
import { albumParts, libraries, problems } from './facts.ts'
import { isOn } from './places.ts'
import { createRecords } from './records.ts'
import { displayPath, pathBytes, pathText } from './scan/path.ts'
import { transactionsOf } from './transactions.ts'

export interface NewLibrary {
  /** Absolute, in the text form of `scan/path.ts`. */
  readonly path: string
  /** The node on whose disk it is: this one; null where it stands alone (see `createPlaces`). */
  readonly node: Id | null
  /** Absent: the folder's name, with those of the folders above it as far as others are called the same. */
  readonly name?: string | undefined
  readonly visibleTo?: Library['visibleTo'] | undefined
  /** Folders that no library may touch: the data folder. */
  readonly forbidden: readonly string[]
  /** Its disk may not be mounted yet: a folder that is not there becomes a library all the same. */
  readonly mayBeAway?: boolean | undefined
}

/** Every library there is. */
export async function listLibraries(store: Store, signal?: AbortSignal): Promise<Library[]> {
  const all: Library[] = []
  for await (const fact of libraries.walk(store, { skip: () => {} }, signal)) all.push(fact.value)
  return all
}

/**
 * Adds a music folder. LIBRARY_NOT_A_FOLDER where it is none that can be read; LIBRARY_NESTED where it shares files
 * with another library or a forbidden folder, be it through links.
 */
export async function addLibrary(
  store: Store,
  { path, node, name, visibleTo = 'everyone', forbidden, mayBeAway = false }: NewLibrary,
  signal?: AbortSignal,
): Promise<{ library: Library; revision: number }> {
  const folder = withoutEnd(path)
  const real = mayBeAway && (await isAway(folder)) ? folder : await realFolder(folder)
  for (const other of forbidden) if (await overlap(real, other)) throw new CodedError('LIBRARY_NESTED', other)
  const id = randomUUID()
  const { value, revision } = await transact(
    store,
    async () => {
      const all: Library[] = []
      const unchanged: Operation[] = []
      for await (const fact of libraries.walk(store, { skip: () => {} }, signal)) {
        all.push(fact.value)
        unchanged.push(libraries.expect(fact.id, fact.revision))
      }
      for (const other of all) {
        if (other.path !== undefined && isOn(node, other) && (await overlap(real, other.path))) {
          throw new CodedError('LIBRARY_NESTED', other.name)
        }
      }
      const library: Library = {
        id,
        name: name ?? defaultName(folder, new Set(all.map((other) => other.name))),
        kind: 'folder',
        path: folder,
        ...(node !== null && { node }),
        visibleTo,
        createdAt: Date.now(),
      }
      return { operation: join(...unchanged.slice(0, 127), libraries.create(id, library)), value: library }
    },
    signal,
  )
  return { library: value, revision }
}

/** Renames a library, or says who sees it. NOT_FOUND. */
export async function changeLibrary(
  store: Store,
  id: Id,
  change: { readonly name?: string | undefined; readonly visibleTo?: Library['visibleTo'] | undefined },
  signal?: AbortSignal,
): Promise<{ library: Library; revision: number }> {
  const { value, revision } = await update(
    store,
    libraries,
    id,
    (library) => {
      if (library === null) throw new CodedError('NOT_FOUND')
      return {
        ...library,
        name: change.name ?? library.name,
        visibleTo: change.visibleTo ?? library.visibleTo,
      }
    },
    signal,
  )
  if (value === null) throw new CodedError('NOT_FOUND')
  return { library: value, revision }
}

/**
 * Forgets a music folder: the library, its files in the catalog and its problems. The folder is left as it is (B4), and
 * ids are kept: adding it again brings back the tracks that playlists and stars hold. A library of uploads is not to be
 * removed: FORBIDDEN. NOT_FOUND.
 */
export async function removeLibrary(store: Store, id: Id, signal?: AbortSignal): Promise<number> {
  const fact = await libraries.get(store, id, signal)
  if (fact === null) throw new CodedError('NOT_FOUND')
  if (fact.value.kind === 'uploads') throw new CodedError('FORBIDDEN', 'uploads have no other place')
  const records = createRecords(store)
  let drops: Drop[] = []
  // The library goes last: were this to stop half-way, it could be done again.
  for await (const { value } of albumParts.walk(store, { skip: () => {} }, signal)) {
    for (const track of value.tracks) {
      for (const file of track.files) {
        if (file.library !== id) continue
        drops.push({ kind: 'drop', track: track.id, library: id, path: file.path, from: value.album })
      }
    }
    if (drops.length < 500) continue
    await records.apply(drops, signal)
    drops = []
  }
  await records.apply(drops, signal)
  const mended: Operation[][] = []
  for await (const problem of problems.walk(store, { under: `${id}/`, skip: () => {} }, signal)) {
    mended.push([problems.remove(problem.id, problem.revision)])
  }
  for (const transaction of transactionsOf(mended)) await store.commit(transaction, signal)
  const { revision } = await update(store, libraries, id, () => null, signal)
  return revision
}

/**
 * Makes sure that each of the folders, named on the command line of this node, is a library; also those that are not
 * there (LIBRARY_GONE), for a disk may be mounted later. Answers what is wrong with which of them: the others are
 * libraries all the same.
 */
export async function reconcileLibraries(
  store: Store,
  node: Id | null,
  folders: readonly string[],
  forbidden: readonly string[],
  signal?: AbortSignal,
): Promise<Array<{ readonly path: string; readonly error: CodedError }>> {
  const failed: Array<{ path: string; error: CodedError }> = []
  for (const path of folders) {
    const present = await listLibraries(store, signal)
    if (await isAway(path)) failed.push({ path, error: new CodedError('LIBRARY_GONE', path) })
    if (present.some((library) => library.path === withoutEnd(path) && isOn(node, library))) continue
    try {
      await addLibrary(store, { path, node, forbidden, mayBeAway: true }, signal)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      failed.push({ path, error })
    }
  }
  return failed
}

/** `music`; where another library has that name, `ada/music`, and so on up to the whole path. */
function defaultName(folder: string, taken: ReadonlySet<string>): string {
  const names = displayPath(folder)
    .split('/')
    .filter((name) => name !== '')
  const candidates = names.map((_, at) =>
    names
      .slice(-at - 1)
      .join('/')
      .slice(0, 200),
  )
  return candidates.find((name) => !taken.has(name)) ?? displayPath(folder).slice(0, 200)
}

function withoutEnd(path: string): string {
  return normalize(path).replace(/(?<=.)\/+$/, '')
}

async function realFolder(path: string): Promise<string> {
  if (!isAbsolute(path)) throw new CodedError('LIBRARY_NOT_A_FOLDER', path)
  try {
    const bytes = pathBytes(path)
    if (!(await stat(bytes)).isDirectory()) throw new CodedError('LIBRARY_NOT_A_FOLDER', path)
    await access(bytes, constants.R_OK | constants.X_OK)
    return pathText(await realpath(bytes, { encoding: 'buffer' }))
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('LIBRARY_NOT_A_FOLDER', path, { cause: error })
  }
}

/** Whether nothing is at the path, as before a disk is mounted. */
async function isAway(path: string): Promise<boolean> {
  if (!isAbsolute(path) || path.includes('\0')) return false
  return await stat(pathBytes(path)).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  )
}

/** Whether one lies in the other. A folder that is not there is compared by its name. */
async function overlap(real: string, other: string): Promise<boolean> {
  const its = await realpath(pathBytes(other), { encoding: 'buffer' }).then(pathText, () => other)
  return isWithin(real, its) || isWithin(its, real)
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)
}
