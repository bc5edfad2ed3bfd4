import type { Clock } from './clock.ts'
import type { Entry } from './queue.ts'
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

/** `goOn`: the other voice stands where the first one is now. */
export function createRelocation(
  clock: Clock,
  voices: Voices,
  current: () => Entry | undefined,
  goOn: () => void,
): Relocation {
  let wanted: string | undefined

  /** The other voice has its bytes: it goes on where this one will be. */
  function finish() {
    const next = voices.idle
    if (wanted === undefined || next.entry?.key !== wanted || current()?.key !== wanted) return
    wanted = undefined
    const aheadMs = next.positionMs() - voices.active.positionMs()
    clock.after(Math.max(0, aheadMs), () => {
      if (next === voices.idle && current()?.key === next.entry?.key) goOn()
    })
  }
  for (const voice of voices.both) {
    voice.element.addEventListener('canplay', () => {
      if (voice === voices.idle) finish()
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
    cancel() {
      wanted = undefined
    },
  }
}
