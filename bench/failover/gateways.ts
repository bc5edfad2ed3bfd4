import type { Browser, Page } from 'playwright-core'
import { heard, type Sound, soundOf, visit } from '../../test/browser/visit.ts'
import { openBrowser } from '../../test/harness/browser.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { Machine } from '../../tools/demo/machine.ts'
import { cut, kills, mend, quantiles, type Run } from './run.ts'

/** The sound's place is looked at so often, in milliseconds, by the page itself. */
const lookMs = 20
/** A silence of so many milliseconds within a song can be heard. */
const audibleMs = 100

/** Kills the machine whose page plays, and measures in a real browser how long no place of the sound moved on. */
export async function killGateways(run: Run, most: number) {
  const { cluster, tell, signal } = run
  await using browser = await openBrowser()
  const [first] = cluster.machines
  if (first === undefined) throw new Error('no machines')
  const pauses: number[] = []
  for (const kill of kills(run, most)) {
    // A page cannot be loaded from a dead gateway, and one that has gone on elsewhere stays there: each kill has its own.
    const serving = cluster.machines[kill % cluster.machines.length] ?? first
    const pause = await pauseOfKill(run, browser, serving)
    pauses.push(pause)
    tell(
      `${kill} of ${most}: ${serving.name} served the page; the sound stood still for ${Math.round(pause)} ms`,
    )
    await mend(cluster, serving)
    signal.throwIfAborted()
  }
  const audible = pauses.filter((ms) => ms > audibleMs).length
  return { kills: pauses.length, audibleGaps: audible, pauseMs: quantiles(pauses) }
}

async function pauseOfKill({ cluster, signal }: Run, browser: Browser, serving: Machine): Promise<number> {
  await using visiting = await visit(browser, {
    baseUrl: serving.url,
    token: cluster.at(serving).token,
    // They tell pages of themselves by the name that people use.
    others: cluster.machines.flatMap(({ url }) => [url, url.replace('127.0.0.1', 'localhost')]),
  })
  const { page } = visiting
  await page.goto('/songs')
  await page.getByRole('button', { name: 'Play In Three Rooms' }).click()
  await heard(page)
  await page.evaluate(watchSound, lookMs)
  await cut(serving)
  const moved = await waitFor(
    async () => {
      const sound = await soundOf(page)
      return sound !== null && !sound.source.startsWith(serving.url) && sound
    },
    { what: 'the sound to come from another machine', signal },
  )
  await movesOn(page, moved, signal)
  return Number(await page.evaluate(() => Reflect.get(window, 'longestPause')))
}

async function movesOn(page: Page, from: Sound, signal: AbortSignal): Promise<void> {
  await waitFor(async () => ((await soundOf(page))?.seconds ?? 0) > from.seconds + 1, {
    what: 'the sound to go on',
    signal,
  })
}

/**
 * Runs in the page: notes the longest time in which no audio element moved on. A look that comes late, since the machine
 * is busy, counts as silence only where the sound has not moved on as much.
 */
function watchSound(everyMs: number) {
  let before: { at: number; seconds: number } | null = null
  Reflect.set(window, 'longestPause', 0)
  setInterval(() => {
    const elements: unknown = Reflect.get(window, 'audioElements')
    if (!Array.isArray(elements)) return
    const sounding = elements.filter(
      (element) => !element.paused && element.volume > 0.001 && element.readyState >= 2,
    )
    const seconds = Math.max(0, ...sounding.map((element) => Number(element.currentTime)))
    const at = performance.now()
    if (before === null || seconds > before.seconds) {
      // Where the looks were late, what was not played meanwhile was silence.
      const silent = before === null ? 0 : at - before.at - (seconds - before.seconds) * 1_000
      Reflect.set(window, 'longestPause', Math.max(silent, Number(Reflect.get(window, 'longestPause'))))
      before = { at, seconds }
    }
  }, everyMs)
}
