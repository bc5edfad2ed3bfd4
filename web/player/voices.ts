import { amplitude, levellingFactor } from './loudness.ts'
import type { Entry } from './queue.ts'
import { sourceOf } from './source.ts'
import type { PlayerState } from './state.ts'
import { type AudioElement, createVoice, type Voice } from './voice.ts'

/** The two voices: one is heard, the other gets ready. */
export interface Voices {
  readonly both: readonly [Voice, Voice]
  readonly active: Voice
  readonly idle: Voice
  /**
   * Makes the idle one silent without stopping it, until it changes places or carries something else. Answers whether that
   * is possible: some systems let only the person set how loud an element is.
   */
  hush(): boolean
  /** They change places; what each carries stays as it is. */
  swap(): void
  /** Loads without playing. Which bytes those are depends on what this browser can play. */
  load(voice: Voice, entry: Entry, positionMs: number): void
  /** This browser could not play the entry as it is: from now on it is asked for transcoded. */
  transcode(entry: Entry): void
  /** Both as loud as the slider and the levelling of what they carry say. */
  level(): void
}

/** -80 dB. At zero Chromium plays into nowhere, and stands still for some 70 ms when it is to be heard. */
const unheard = 0.0001

export function createVoices(parts: {
  elements: readonly [AudioElement, AudioElement]
  address(path: string): string
  loudness(): Pick<PlayerState, 'volume' | 'muted' | 'levelling'>
}): Voices {
  const both = [createVoice(parts.elements[0]), createVoice(parts.elements[1])] as const
  let [active, idle]: readonly [Voice, Voice] = both
  const transcoded = new Set<string>()
  let hushed = false

  function level() {
    const { volume, muted, levelling } = parts.loudness()
    for (const { entry, element } of both) {
      const factor = entry === undefined ? 1 : levellingFactor(entry.track, levelling)
      const isSilent = hushed && element === idle.element
      element.volume = isSilent ? unheard : Math.min(1, amplitude(volume) * factor)
      element.muted = muted
    }
  }
  level()

  return {
    both,
    get active() {
      return active
    },
    get idle() {
      return idle
    },
    hush() {
      hushed = true
      level()
      return idle.element.volume <= unheard
    },
    swap() {
      ;[active, idle] = [idle, active]
      hushed = false
      active.element.playbackRate = 1
      level()
    },
    load(voice, entry, positionMs) {
      const canPlay = (type: string) => voice.element.canPlayType(type)
      const wanted = { transcoded: transcoded.has(entry.key), offsetMs: positionMs }
      const source = sourceOf(entry.track, canPlay, wanted)
      if (voice === idle) hushed = false
      voice.load(entry, { ...source, url: parts.address(source.url) }, positionMs)
      level()
    },
    transcode: (entry) => void transcoded.add(entry.key),
    level,
  }
}
