import { page, problemSummary } from '../../protocol/api/catalog.ts'
import { nodeStatus } from '../../protocol/api/node.ts'
import { clusterRows, readCluster } from './cluster.ts'
import type { Context } from './context.ts'
import { withRunningNode } from './remote.ts'
import { bytes } from './terminal.ts'

/** `hocket status`: how the running node is, for a person or (`--json`) for a program. */
export async function status(context: Context, { json }: { readonly json: boolean }): Promise<void> {
  const [now, { items: problems, next }, cluster] = await withRunningNode(context, (remote) =>
    Promise.all([
      remote.ask('/api/status', nodeStatus),
      remote.ask('/api/problems?limit=500', page(problemSummary)),
      readCluster(remote),
    ]),
  )
  const { terminal } = context
  if (json) {
    terminal.print(JSON.stringify({ ...now, problems, ...(cluster !== null && { cluster }) }, null, 2))
    return
  }
  const { store, index, counts, scan, memory, disk, transcodes, eventLoopDelay } = now
  const rows: readonly (readonly [string, string])[] = [
    ['Hocket', `${now.version}, running since ${new Date(now.startedAt).toLocaleString()}`],
    ['Music', `${counts.tracks} tracks, ${counts.albums} albums, ${counts.artists} artists`],
    [
      'Scan',
      scan.phase === 'idle' ? 'none running' : `${scan.phase}: ${scan.read} of ${scan.toRead} files read`,
    ],
    [
      'Problems',
      problems.length === 0 ? 'none' : `${problems.length}${next === undefined ? '' : ' or more'}`,
    ],
    ...problems
      .filter(({ code, path }) => code === 'LIBRARY_GONE' && path === '')
      .map(({ code, libraryName, help }) => ['', `${libraryName}: ${code}. ${help}`] as const),
    [
      'Listening',
      `${now.streams} streams, ${transcodes.running} conversions (${transcodes.waiting} waiting)`,
    ],
    ['Store', store === null ? 'does not answer' : `revision ${store.revision}, ${bytes(store.bytes)}`],
    ['Index', index.state === 'filling' ? 'being filled' : `${index.behind} revisions behind`],
    ['Memory', bytes(memory.rss)],
    ['Disk', `${bytes(disk.free)} free of ${bytes(disk.total)}`],
    [
      'Delay',
      `${eventLoopDelay.p50.toFixed(1)} ms in the middle, ${eventLoopDelay.p99.toFixed(1)} ms in the worst hundredth`,
    ],
  ]
  for (const [name, text] of [...rows, ...(cluster === null ? [] : clusterRows(cluster))])
    terminal.print(`${name.padEnd(10)} ${text}`)
}
