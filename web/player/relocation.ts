import type { Clock } from './clock.ts'
import type { Entry } from './queue.ts'
import { haveFutureData } from './voice.ts'
import type { Voices } from './voices.ts'

/** Going on with the same song from another address, while what was fetched from the first still sounds. */
export interface Relocation {
  /** Whether the other voice is taken by it. */
  readonly underway: boolean
  begin(entry: Entry): void
  cancel(): void
}

/** Ahead of what sounds, so that the other voice has its bytes when its moment comes. */
const leadMs = 400
/** How long an element takes to begin; it differs by system, and the voices are brought into step afterwards. */
const beginsAfterMs = 60
const lookEveryMs = 20
/** Of two sounds that are less apart than this nobody hears which one it is. */
const inStepMs = 10
/** What they are apart is made good in this time, within the speeds that all browsers play at. */
const mendWithinMs = 200
const slowest = 0.5
const fastest = 2
/** Some systems stumble a moment after a speed was changed: so many looks in a row they must have been in step. */
const steadyLooks = 10
/** Long before what was fetched has sounded to its end; a change that is out of step is heard less than silence. */
const patienceMs = 2_500

/**
 * `goOn`: the other voice goes on from now. Where it can, it sounds by then, and in step with the first one: it was begun
 * without being heard, since an element takes a while from being asked to play until it does.
 */
export function createRelocation(
  clock: Clock,
  voices: Voices,
  current: () => Entry | undefined,
  goOn: () => void,
): Relocation {
  let wanted: string | undefined
  let cancelNext = () => {}

  const plan = (ms: number, action: () => void) => {
    cancelNext()
    cancelNext = clock.after(ms, action)
  }
  const aheadMs = () => voices.idle.positionMs() - voices.active.positionMs()
  const isStill = () => wanted !== undefined && voices.idle.entry?.key === wanted && current()?.key === wanted

  /** The other voice has its bytes. */
  function ready() {
    if (!isStill()) return
    const next = voices.idle.element
    if (!voices.hush()) return plan(Math.max(0, aheadMs()), change)
    plan(Math.max(0, aheadMs() - beginsAfterMs), () => {
      next.play().then(
        () => step(clock.now() + patienceMs, 0),
        () => plan(Math.max(0, aheadMs()), change),
      )
    })
  }

  /** Brings the other voice to where the first one is, by its speed. */
  function step(until: number, steady: number) {
    if (!isStill()) return cancel()
    const [next, first] = [voices.idle.element, voices.active.element]
    const apart = aheadMs()
    const isInStep = Math.abs(apart) <= inStepMs
    const firstIsOver = first.paused || first.error !== null || first.readyState < haveFutureData
    if (firstIsOver || clock.now() >= until || steady >= steadyLooks) return change()
    const isSteady = isInStep && next.playbackRate === 1
    if (!isSteady)
      next.playbackRate = isInStep ? 1 : Math.min(fastest, Math.max(slowest, 1 - apart / mendWithinMs))
    plan(lookEveryMs, () => step(until, isSteady ? steady + 1 : 0))
  }

  function change() {
    if (!isStill()) return cancel()
    wanted = undefined
    cancelNext()
    goOn()
  }

  function cancel() {
    if (wanted === undefined) return
    wanted = undefined
    cancelNext()
    voices.idle.unload()
  }

  for (const voice of voices.both) {
    voice.element.addEventListener('canplay', () => {
      if (voice === voices.idle && voice.element.paused) ready()
    })
  }

  return {
    get underway() {
      return wanted !== undefined
    },
    begin(entry) {
      wanted = entry.key
      voices.load(voices.idle, entry, voices.active.positionMs() + leadMs)
    },
    cancel,
  }
}
