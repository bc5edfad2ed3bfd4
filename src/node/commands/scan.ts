import { setTimeout as pause } from 'node:timers/promises'
import { type ScanStatus, scanStatus } from '../../protocol/api/catalog.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Context } from './context.ts'
import { type Remote, withRunningNode } from './remote.ts'
import { files } from './terminal.ts'

/** `hocket scan`: lets the running node look through its music folders, and shows how far it is. */
export async function scan(context: Context, { full }: { readonly full: boolean }): Promise<void> {
  await withRunningNode(context, async (remote) => {
    const before = await remote.ask('/api/scan', scanStatus)
    await remote.ask('/api/scan', scanStatus, { method: 'POST', body: { full } })
    const { added, changed, moved, removed, problems, seen, error } = await finished(remote, context, before)
    if (error !== undefined) throw new CodedError('INTERNAL', error)
    const { terminal } = context
    terminal.print(
      `${files(seen)} met: ${added} added, ${changed} changed, ${moved} moved, ${removed} removed.`,
    )
    if (problems > 0)
      terminal.print(`${problems} problems: see Administration → Scan problems in the browser.`)
  })
}

/** The status once the scan that was asked for has ended: hashing goes on behind and is not waited for. */
async function finished(
  remote: Remote,
  { terminal, signal }: Context,
  before: ScanStatus,
): Promise<ScanStatus> {
  using progress = terminal.progress('Scanning', files)
  for (;;) {
    const now = await remote.ask('/api/scan', scanStatus)
    progress.update(now.read, now.toRead)
    const isNew = now.startedAt !== undefined && now.startedAt !== before.startedAt
    const isDone = now.finishedAt !== undefined && now.finishedAt >= (now.startedAt ?? 0)
    if (isNew && isDone) return now
    await pause(250, undefined, { signal })
  }
}
