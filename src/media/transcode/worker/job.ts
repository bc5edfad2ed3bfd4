import { type RenditionFormat, renditionFormats } from '../transcoder.ts'

/**
 * What the media worker is told to do, in one line of text. It is read by hand, not with zod: a fresh worker is on the
 * way to a listener's first byte, loading zod takes it 50 ms, and the line comes from our own parent process.
 */
export type Job =
  | { readonly kind: 'probe'; readonly path: string }
  | {
      readonly kind: 'encode'
      readonly path: string
      readonly format: RenditionFormat
      readonly bitrateKbps: number
      readonly offsetMs: number
    }

export function jobLine(job: Job): string {
  const path = Buffer.from(job.path).toString('base64')
  if (job.kind === 'probe') return `probe ${path}\n`
  return `encode ${path} ${job.format} ${job.bitrateKbps} ${job.offsetMs}\n`
}

/** The job of a line, or null where there is none (the parent went away before it had one). */
export function parseJob(line: string): Job | null {
  const [kind, encodedPath = '', formatName, bitrate, offset] = line.trim().split(' ')
  const path = Buffer.from(encodedPath, 'base64').toString()
  if (kind === 'probe') return { kind, path }
  const format = renditionFormats.find((name) => name === formatName)
  if (kind !== 'encode' || format === undefined) return null
  return { kind, path, format, bitrateKbps: Number(bitrate), offsetMs: Number(offset) }
}

/** How a worker ends, told by its exit code; the detail is on its standard error. Anything else is a crash. */
export const exitCodes = { done: 0, unreadable: 65, failed: 70 } as const
