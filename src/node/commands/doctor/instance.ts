import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import * as accountFacts from '../../../accounts/collections.ts'
import { type DiskBlobs, openDiskBlobs } from '../../../blobs/disk.ts'
import * as catalogFacts from '../../../catalog/facts.ts'
import { displayPath, pathBytes } from '../../../catalog/scan/path.ts'
import * as listeningFacts from '../../../listening/facts.ts'
import { librarySummary } from '../../../protocol/api/catalog.ts'
import { type AuthorityStatus, type ClusterStatus, expiresSoon } from '../../../protocol/api/cluster.ts'
import { nodeStatus } from '../../../protocol/api/node.ts'
import { CodedError, errorCodes } from '../../../protocol/errors.ts'
import type { Library } from '../../../protocol/facts/catalog.ts'
import { wasRemoved } from '../../../registry/trust/identity.ts'
import { openSqliteStore } from '../../../store/sqlite.ts'
import type { Store } from '../../../store/store.ts'
import { runsEtcd } from '../../cluster/etcd.ts'
import { readMembership } from '../../cluster/membership.ts'
import { requireEtcd } from '../../etcd/program.ts'
import { readLocal } from '../../local.ts'
import { lockDataFolder } from '../../lock.ts'
import { authorityText } from '../authority.ts'
import { alarmWords, readCluster } from '../cluster.ts'
import type { Context } from '../context.ts'
import { withRunningNode } from '../remote.ts'
import { bytes as inBytes } from '../terminal.ts'
import { bad, doubtful, type Finding, good } from './finding.ts'

/** The store, the music folders and the uploaded audio; what needs them at rest only while no node runs. */
export async function* checkInstance(
  context: Context,
  options: { readonly bytes: boolean },
): AsyncGenerator<Finding> {
  const { data } = context.config
  if ((await readLocal(data)) !== null) yield* checkRunning(context)
  else if (wasRemoved(data)) yield bad(errorCodes.NODE_REMOVED.title, errorCodes.NODE_REMOVED.help)
  else if ((await readMembership(data)) !== null) {
    if (runsEtcd(data)) yield await checkEtcd()
    yield doubtful(
      'This is a node of a cluster: its facts were not checked, since it does not run',
      'Start it, and ask again.',
    )
  } else if ((await stat(join(data, 'store.db')).catch(() => null)) !== null)
    yield* checkResting(context, options)
}

async function* checkRunning(context: Context): AsyncGenerator<Finding> {
  const libraries = z.object({ items: z.array(librarySummary) })
  const [status, { items }] = await withRunningNode(context, (remote) =>
    Promise.all([remote.ask('/api/status', nodeStatus), remote.ask('/api/libraries', libraries)]),
  )
  const { index, store } = status
  if (store !== null) yield good(`Hocket runs, with ${store.revision} revisions of facts`)
  else
    yield bad(
      'Hocket runs, and its store does not answer: music plays, but nothing can be saved',
      'See with `npm run hocket -- status` which machines are away, and start them.',
    )
  const cluster = await withRunningNode(context, readCluster)
  if (cluster?.storeAlarm !== undefined)
    yield bad(
      `Of the store of the cluster: ${alarmWords[cluster.storeAlarm]}`,
      'Music plays on; the page says what to do.',
    )
  if (cluster !== null) {
    yield* checkNodes(cluster)
    if (cluster.storeReachable) yield checkMembers(cluster)
    yield checkAuthority(cluster.authority)
    if (runsEtcd(context.config.data)) yield await checkEtcd()
  }
  if (index.skipped === 0) yield good('The index could read every fact it met')
  else
    yield bad(
      `${index.skipped} facts could not be read`,
      'The log names them; see FACT_DAMAGED in docs/errors.md.',
    )
  yield* checkFolders(items)
  yield doubtful(
    'The database and the uploaded audio were not checked, since Hocket runs',
    'Stop it and run `npm run hocket -- doctor --bytes` to check every fact and every byte.',
  )
}

/** The machines of the cluster, as far as one of them gives cause. */
function* checkNodes({ nodes }: ClusterStatus): Generator<Finding> {
  const belonging = nodes.filter(({ state }) => state !== 'removed')
  const silent = belonging.filter(({ alive }) => !alive)
  if (silent.length === 0) yield good(`All ${belonging.length} machines of the cluster answer`)
  for (const { name } of silent)
    yield doubtful(
      `The machine ${name} of the cluster does not answer`,
      'Start it, or look at its network. One that is gone for good: “Replace a dead machine” in docs/operations.md.',
    )
  for (const { name, clockSkewMs } of belonging)
    if (clockSkewMs !== undefined)
      yield doubtful(
        `The clock of ${name} is wrong by ${Math.round(clockSkewMs / 1_000)} s`,
        'Let it take the time from the network (NTP).',
      )
}

/** How many more of them may fail is what protects the facts. */
function checkMembers({ storeMembers, storeAnswering }: ClusterStatus): Finding {
  if (storeAnswering === storeMembers) return good(`All members of the store answer: ${storeMembers}`)
  return doubtful(
    `Of ${storeMembers} members of the store only ${storeAnswering} answer`,
    'Look at the log of the machines that are silent, or whose etcd does not run: `npm run hocket -- doctor` there says why.',
  )
}

/** This machine has a member of the store, for which it needs the program. */
async function checkEtcd(): Promise<Finding> {
  try {
    await requireEtcd()
    return good('The program etcd, in which the machines keep their facts, is there')
  } catch (error) {
    const { title, help } = errorCodes.ETCD_MISSING
    return bad(error instanceof CodedError ? error.message : title, help)
  }
}

function checkAuthority(authority: AuthorityStatus): Finding {
  const what = `Of the authority of the cluster: ${authorityText(authority, Date.now())}`
  return expiresSoon(authority, Date.now())
    ? doubtful(what, '“The cluster’s authority” in docs/operations.md says what that does.')
    : good(what)
}

async function* checkResting(
  context: Context,
  options: { readonly bytes: boolean },
): AsyncGenerator<Finding> {
  const { config, signal } = context
  using _lock = await lockDataFolder(config.data)
  const complaint = checkDatabase(join(config.data, 'store.db'))
  if (complaint !== undefined) {
    yield bad(`The database is damaged: ${complaint}`, 'See STORE_CORRUPT in docs/errors.md.')
    return
  }
  yield good('The database is sound')
  await using store = await openSqliteStore(join(config.data, 'store.db'), { signal })
  yield* checkFacts(store, signal)
  const libraries: Library[] = []
  for await (const { value } of catalogFacts.libraries.walk(store, { skip: () => {} }, signal))
    libraries.push(value)
  yield* checkFolders(libraries)
  await using blobs = await openDiskBlobs(config.data, {
    cacheBytes: 0,
    otherCopies: () => [],
    report: () => {},
  })
  yield* checkUploads(store, blobs, signal)
  if (options.bytes) yield* checkBytes(context, blobs)
}

/** What SQLite says against the file, or undefined. */
function checkDatabase(path: string): string | undefined {
  try {
    using database = new DatabaseSync(path, { readOnly: true })
    const row = database.prepare('PRAGMA quick_check(1)').get()
    const answer = String(Object.values(row ?? {})[0])
    return answer === 'ok' ? undefined : answer
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function* checkFacts(store: Store, signal: AbortSignal): AsyncGenerator<Finding> {
  const exported = [accountFacts, catalogFacts, listeningFacts].flatMap((facts) => Object.values(facts))
  const unreadable: string[] = []
  let count = 0
  for (const collection of exported) {
    // The catalog's module also exports a function, which makes ids.
    if (typeof collection === 'function') continue
    const skip = (id: string, error: Error) => unreadable.push(`${collection.prefix}${id}: ${error.message}`)
    for await (const _ of collection.walk(store, { skip }, signal)) count += 1
  }
  if (unreadable.length === 0) yield good(`All ${count} facts can be read`)
  for (const what of unreadable.slice(0, 20)) yield bad(`A fact cannot be read: ${what}`, 'Restore a backup.')
}

async function* checkFolders(
  libraries: readonly Pick<Library, 'name' | 'kind' | 'path'>[],
): AsyncGenerator<Finding> {
  for (const { name, kind, path } of libraries) {
    if (kind !== 'folder' || path === undefined) continue
    try {
      await access(pathBytes(path), constants.R_OK | constants.X_OK)
      yield good(`The music folder ${displayPath(path)} (${name}) can be read`)
    } catch {
      yield bad(
        `The music folder ${displayPath(path)} (${name}) cannot be read`,
        'Check that its disk is mounted, and that the account that runs Hocket may read it.',
      )
    }
  }
}

/** Whether the bytes of every upload are there. */
async function* checkUploads(store: Store, blobs: DiskBlobs, signal: AbortSignal): AsyncGenerator<Finding> {
  const missing: string[] = []
  let count = 0
  for await (const { value } of catalogFacts.albumParts.walk(store, { skip: () => {} }, signal)) {
    for (const { upload, blob, files } of value.tracks) {
      if (upload === undefined || blob === undefined || files.length > 0) continue
      count += 1
      if ((await blobs.size(blob, signal)) === null) missing.push(displayPath(upload.fileName))
    }
  }
  if (missing.length === 0 && count > 0) yield good(`The bytes of all ${count} uploads are there`)
  for (const name of missing) yield bad(`The bytes of the upload ${name} are missing`, 'Upload it again.')
}

/** Reads every blob and compares it with its name (B1). */
async function* checkBytes({ terminal, signal }: Context, blobs: DiskBlobs): AsyncGenerator<Finding> {
  const sizes = new Map<string, number>()
  for await (const { hash, size } of blobs.list(undefined, signal)) sizes.set(hash, size)
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const damaged: string[] = []
  {
    using progress = terminal.progress('Reading uploads', inBytes)
    let done = 0
    for (const [hash, size] of sizes) {
      if ((await blobs.verify(hash, { signal })) !== 'sound') damaged.push(hash)
      done += size
      progress.update(done, total)
    }
  }
  if (damaged.length === 0 && total > 0)
    yield good(`All ${inBytes(total)} of uploaded audio match their names`)
  for (const hash of damaged) yield bad(`The blob ${hash} is damaged`, 'See BLOB_CORRUPT in docs/errors.md.')
}
