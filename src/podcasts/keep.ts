import { setTimeout as pause } from 'node:timers/promises'
import { isCoded } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import { download, downloadDue } from './download.ts'
import { channels, episodes } from './facts.ts'
import type { KeepOptions, Mandate } from './mandate.ts'
import { findChannels, orphanedChannels, wantedEpisodes } from './queries.ts'
import { refresh, refreshDue } from './refresh.ts'

/** Feeds that are looked at, and episodes that are downloaded, at the same time. */
const mostRefreshes = 4
const mostDownloads = 2
/** How often everything is compared, whatever was heard of changes, in milliseconds. */
const compareEveryMs = 30_000
/** Before trying again what the store did not let us do, in milliseconds. */
const patienceMs = 2_000
/** Before looking again at a fact that only a newer version can read, or nobody. */
const newerPatienceMs = 600_000
/** Episodes whose channel is gone that are removed in one transaction. */
const atOnce = 100

interface Running {
  readonly stop: AbortController
  readonly done: Promise<void>
}

interface Task {
  readonly key: string
  readonly due: number
  readonly work: (signal: AbortSignal) => Promise<void>
}

/**
 * Keeps the podcasts until the mandate ends: looks for new episodes, downloads what is wanted, and clears away what a
 * channel that is gone has left. It goes by what is there, not by what has happened: whatever a predecessor left half
 * done is done again (N2). The index only proposes; each piece of work reads the facts before it begins.
 */
export async function keepPodcasts(options: KeepOptions, mandate: Mandate): Promise<void> {
  const { store, index, onError } = options
  const { signal } = mandate
  const asked = { prepare: index.statement }
  const running = new Map<string, Running>()
  /** Not before then, after trouble that is none of the feed's. */
  const restUntil = new Map<string, number>()
  let stir = new AbortController()

  const report = (error: unknown) => {
    if (!signal.aborted) onError(error)
  }

  function start({ key, work }: Task): void {
    const stop = new AbortController()
    const run = async () => {
      try {
        await work(AbortSignal.any([signal, stop.signal]))
        restUntil.delete(key)
      } catch (error) {
        if (!stop.signal.aborted) report(error)
        restUntil.set(key, Date.now() + (isForNewer(error) ? newerPatienceMs : patienceMs))
      }
      // What was written is to be seen by the next look.
      const settled = async () => index.waitFor((await store.status(signal)).revision, signal)
      await settled().catch(report)
      running.delete(key)
      stir.abort()
    }
    running.set(key, { stop, done: run() })
  }

  /** Starts what is due, and answers when the next is. */
  function begin(tasks: readonly Task[], prefix: string, most: number): number {
    const now = Date.now()
    let next = Number.POSITIVE_INFINITY
    let free =
      most -
      running
        .keys()
        .filter((key) => key.startsWith(prefix))
        .toArray().length
    for (const task of tasks) {
      const due = Math.max(task.due, restUntil.get(task.key) ?? 0)
      if (running.has(task.key)) continue
      if (due > now) next = Math.min(next, due)
      else if (free > 0) {
        free -= 1
        start(task)
      }
    }
    return next
  }

  function look(): number {
    const refreshes = findChannels(asked).map((channel) => ({
      key: `refresh ${channel.id}`,
      due: refreshDue(channel),
      work: () => refresh(options, mandate, channel.id),
    }))
    const downloads = wantedEpisodes(asked).map((episode) => ({
      key: `download ${episode.id}`,
      due: downloadDue(episode) ?? 0,
      work: (until: AbortSignal) =>
        download(options, mandate, { channel: episode.channel.id, id: episode.id }, until),
    }))
    const sweeps = orphanedChannels(asked).map((channel) => ({
      key: `sweep ${channel}`,
      due: 0,
      work: () => sweep(options, mandate, channel),
    }))
    // What nobody wants any more need not come to its end.
    const wanted = new Set(downloads.map(({ key }) => key))
    for (const [key, { stop }] of running)
      if (key.startsWith('download ') && !wanted.has(key)) stop.abort(new Error('nobody wants it any more'))
    return Math.min(
      begin(refreshes, 'refresh ', mostRefreshes),
      begin(downloads, 'download ', mostDownloads),
      begin(sweeps, 'sweep ', 1),
    )
  }

  const unsubscribe = index.subscribe(({ keys, more }) => {
    if (more || keys.some(isOurs)) stir.abort()
  })
  while (!signal.aborted) {
    stir = new AbortController()
    const next = attempt(look, report) ?? Date.now() + patienceMs
    const wait = Math.max(0, Math.min(next - Date.now(), compareEveryMs))
    const either = AbortSignal.any([signal, stir.signal])
    await pause(wait, undefined, { signal: either, ref: false }).catch(() => undefined)
  }
  unsubscribe()
  await Promise.all([...running.values()].map(({ done }) => done))
}

const isForNewer = (error: unknown) => isCoded(error, 'FACT_NEWER') || isCoded(error, 'FACT_DAMAGED')
const isOurs = (key: string) => key.startsWith(channels.prefix) || key.startsWith(episodes.prefix)

function attempt<Value>(work: () => Value, report: (error: unknown) => void): Value | undefined {
  try {
    return work()
  } catch (error) {
    report(error)
    return undefined
  }
}

/** Removes the episodes of a channel, as long as it stays gone. */
async function sweep({ store }: KeepOptions, mandate: Mandate, channel: Id): Promise<void> {
  for (let more = true; more; ) {
    const page = await store.list(episodes.key(`${channel}/`), { limit: atOnce }, mandate.signal)
    const { conditions } = channels.expect(channel, 0)
    const writes = page.entries.map(({ key }) => ({ key, value: null }))
    if (writes.length === 0 || !(await mandate.commit({ conditions, writes }))) return
    more = page.more
  }
}
