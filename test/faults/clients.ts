import { setTimeout as pause } from 'node:timers/promises'
import { pickByWeight } from '../harness/random.ts'
import { type Activity, append, comment, makePlaylist, rate, replaceQueue, upload } from './activities.ts'
import { createWriter, type WriterOptions } from './writer.ts'

/** What a client does, and how often of a hundred times. */
const habits: readonly (readonly [Activity, number])[] = [
  [replaceQueue, 35],
  [rate, 25],
  [comment, 15],
  [append, 13],
  [makePlaylist, 6],
  [upload, 6],
]
/** Milliseconds from one thing to the next. */
const restMs = 30

/** Writes one thing after another through random gateways until it is ended. */
export async function runClient(options: WriterOptions, ended: AbortSignal): Promise<void> {
  const writer = createWriter(options)
  while (!ended.aborted) {
    const [activity] = pickByWeight(habits, ([, share]) => share, options.random)
    await activity(writer)
    await pause(restMs)
  }
}
