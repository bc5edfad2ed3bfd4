import type { Id } from '../../protocol/ids.ts'

/** What a device plays at this moment, as it says. */
export interface Playing {
  readonly user: Id
  readonly device: Id
  readonly client: string
  readonly track: Id
  readonly state: 'starting' | 'playing' | 'paused' | 'stopped'
  readonly positionMs: number
  readonly rate: number
  /** When it was said, in milliseconds since 1970. */
  readonly at: number
  /** When it is no longer to be believed. */
  readonly until: number
}

/** What is being played now. It is kept in memory: after a restart, players say it again. */
export interface NowPlaying {
  report(playing: Playing): void
  stop(device: Id): void
  list(): readonly Playing[]
}

/** Devices that are remembered; the one that has been silent for longest goes first. */
const mostDevices = 1_000

export function createNowPlaying(clock: () => number = Date.now): NowPlaying {
  const devices = new Map<Id, Playing>()
  return {
    report(playing) {
      devices.delete(playing.device)
      devices.set(playing.device, playing)
      const [oldest] = devices.keys()
      if (devices.size > mostDevices && oldest !== undefined) devices.delete(oldest)
    },
    stop(device) {
      devices.delete(device)
    },
    list() {
      const now = clock()
      for (const [device, { until }] of devices) if (until < now) devices.delete(device)
      return [...devices.values()].reverse()
    },
  }
}
