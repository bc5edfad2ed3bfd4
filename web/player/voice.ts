import type { Entry } from './queue.ts'
import type { Source } from './source.ts'

/** The part of an HTMLAudioElement that the player uses. */
export interface AudioElement {
  src: string
  currentTime: number
  readonly duration: number
  volume: number
  muted: boolean
  playbackRate: number
  preload: string
  readonly paused: boolean
  readonly ended: boolean
  readonly readyState: number
  readonly error: { readonly code: number } | null
  readonly buffered: { readonly length: number; end(index: number): number }
  play(): Promise<void>
  pause(): void
  load(): void
  removeAttribute(name: string): void
  canPlayType(type: string): string
  addEventListener(type: string, listener: () => void): void
}

/** MediaError codes. */
export const mediaErrors = { aborted: 1, network: 2, decode: 3, notSupported: 4 } as const

/**
 * One audio element with what it carries. The player has two and lets them alternate: while one sounds, the other
 * loads what comes next, so that the gap between tracks is the time of an event and not of a request.
 */
export interface Voice {
  readonly element: AudioElement
  readonly entry: Entry | undefined
  readonly source: Source | undefined
  /** Loads without playing, to start at `positionMs`. */
  load(entry: Entry, source: Source, positionMs: number): void
  unload(): void
  /** Milliseconds into the track (not into what was transcoded of it). */
  positionMs(): number
  bufferedMs(): number
}

const haveMetadata = 1
/** From this `readyState` on an element can go on from where it is. */
export const haveFutureData = 3

export function createVoice(element: AudioElement): Voice {
  let entry: Entry | undefined
  let source: Source | undefined
  /** Where to go as soon as the element knows its length; elements forget a position set before that. */
  let pendingMs: number | undefined

  element.preload = 'auto'
  element.addEventListener('loadedmetadata', () => {
    if (pendingMs === undefined) return
    element.currentTime = pendingMs / 1000
    pendingMs = undefined
  })

  return {
    element,
    get entry() {
      return entry
    },
    get source() {
      return source
    },
    load(newEntry, newSource, positionMs) {
      entry = newEntry
      source = newSource
      // Now is the only place in what is live.
      const within = newSource.kind === 'live' ? 0 : positionMs - newSource.offsetMs
      pendingMs = within > 0 ? within : undefined
      element.src = newSource.url
      element.load()
    },
    unload() {
      entry = undefined
      source = undefined
      pendingMs = undefined
      element.pause()
      element.removeAttribute('src')
      element.load()
    },
    positionMs() {
      const within =
        pendingMs !== undefined && element.readyState < haveMetadata ? pendingMs : element.currentTime * 1000
      return (source?.offsetMs ?? 0) + within
    },
    bufferedMs() {
      const { buffered } = element
      const end = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1)
      return (source?.offsetMs ?? 0) + end * 1000
    },
  }
}
