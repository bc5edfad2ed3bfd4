/**
 * The media worker: a process that does one job and ends. It is started ahead of time, loads FFmpeg, and waits for its
 * job on standard input; the end of that input without a job means that nobody needs it any more.
 */
import { readSync, writeSync } from 'node:fs'
import { AV_LOG_QUIET } from 'node-av/constants'
import { Log } from 'node-av/lib'
import { encode } from './encode.ts'
import { Unreadable } from './input.ts'
import { exitCodes, parseJob } from './job.ts'
import { probe } from './probe.ts'

Log.setLevel(AV_LOG_QUIET)
const job = parseJob(readLine())
if (job !== null) {
  try {
    if (job.kind === 'probe') writeSync(1, JSON.stringify(await probe(job.path)))
    else await encode(job)
  } catch (error) {
    writeSync(2, error instanceof Error ? error.message : String(error))
    process.exit(error instanceof Unreadable ? exitCodes.unreadable : exitCodes.failed)
  }
}
process.exit(exitCodes.done)

/** One line of standard input; the empty line at its end. */
function readLine(): string {
  const chunk = Buffer.alloc(64 * 1024)
  let length = 0
  while (length < chunk.length && !chunk.subarray(0, length).includes(0x0a)) {
    const count = readSync(0, chunk, length, chunk.length - length, null)
    if (count === 0) return ''
    length += count
  }
  return chunk.toString('latin1', 0, length)
}
