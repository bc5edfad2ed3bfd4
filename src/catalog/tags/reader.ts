import { startConfined } from '../../children/confined.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Lyrics } from './lyrics.ts'
import { type Answer, answer, type Reading, type Request } from './messages.ts'
import type { TimedWord } from './words.ts'

/**
 * Reads tags, lyrics and covers in child processes (law S1), which are started when needed and stopped when idle. A
 * file that crashes its reader, or hangs it, costs only itself: its reading is READER_FAILED.
 *
 * Paths are absolute, in the text form of `scan/path.ts`.
 */
export interface TagReader extends AsyncDisposable {
  /** One reading for each path, in order. */
  readTags(paths: readonly string[], signal?: AbortSignal): Promise<Reading[]>
  /** The lyrics in the text file `beside` the music, then those in the file's own tags; synchronised or plain. */
  readLyrics(source: LyricsSource, signal?: AbortSignal): Promise<readonly Lyrics[]>
  /** The embedded front cover as the bytes it was embedded with, or null. Decode it only in a child process. */
  readCover(path: string, signal?: AbortSignal): Promise<Cover | null>
}

export interface LyricsSource {
  /** The audio file. */
  readonly path?: string | undefined
  /** A `.lrc` or `.txt`: its path, or its bytes. */
  readonly beside?: string | Uint8Array | undefined
}

export interface Cover {
  readonly bytes: Uint8Array
  /** By the picture's first bytes. */
  readonly mediaType: string
}

export interface TagReaderOptions {
  /** How many processes read at the same time. */
  readonly processes: number
  /** The longest that one file may take. */
  readonly fileDeadlineMs: number
  /** A process without work for this long is stopped. */
  readonly idleMs: number
  /** The program of the child; tests give one that misbehaves. */
  readonly program?: URL
}

/** Two processes, twenty seconds a file, stopped after ten seconds without work. */
export const usualReaderOptions: TagReaderOptions = { processes: 2, fileDeadlineMs: 20_000, idleMs: 10_000 }

interface Job {
  readonly request: Request
  /** How many readings a request for tags must bring. */
  readonly expected: number
  readonly received: Answer[]
  readonly settle: (error: Error | null) => void
}

const batch = 64
/** What a process may take to start on a busy machine. */
const startDeadlineMs = 15_000
const usualProgram = new URL('reader-child.ts', import.meta.url)

export function createTagReader(options: TagReaderOptions = usualReaderOptions): TagReader {
  const waiting: Job[] = []
  const children = new Set<{ stop(): Promise<void> }>()
  const idle: Array<{ wake(): void }> = []
  let closed = false

  function startChild() {
    const process = startConfined(options.program ?? usualProgram, { niceness: 5 })
    let job: Job | undefined
    let timer: NodeJS.Timeout | undefined
    let hasAnswered = false
    const self = { stop, wake: next }
    const ended = new Promise<void>((resolve) => process.once('close', () => resolve()))
    children.add(self)

    function next() {
      clearTimeout(timer)
      job = waiting.shift()
      if (!job) {
        idle.push(self)
        timer = setTimeout(stop, options.idleMs)
        return
      }
      process.send(job.request, (error) => error && process.kill('SIGKILL'))
      watch()
    }
    function watch() {
      clearTimeout(timer)
      const startingMs = hasAnswered ? 0 : startDeadlineMs
      timer = setTimeout(() => process.kill('SIGKILL'), startingMs + options.fileDeadlineMs)
    }
    function stop() {
      process.kill('SIGKILL')
      forget()
      return ended
    }
    function forget() {
      clearTimeout(timer)
      children.delete(self)
      const at = idle.indexOf(self)
      if (at >= 0) idle.splice(at, 1)
    }

    process.on('message', (message) => {
      const parsed = answer.safeParse(message)
      if (!job || !parsed.success || parsed.data.kind !== job.request.kind)
        return void process.kill('SIGKILL')
      hasAnswered = true
      job.received.push(parsed.data)
      if (readingsOf(job.received).length < job.expected) return watch()
      const done = job
      next()
      done.settle(null)
    })
    // 'error' comes where the process could not be started or told something; 'close' follows it or the kill.
    process.on('error', () => process.kill('SIGKILL'))
    process.once('close', () => {
      forget()
      job?.settle(new Error('the reader ended'))
      if (waiting.length > 0 && !closed) startChild()
    })
    next()
  }

  function run(request: Request, signal: AbortSignal | undefined, urgent: boolean): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new CodedError('UNREACHABLE', 'the tag reader has been closed'))
      signal?.throwIfAborted()
      const received: Answer[] = []
      const expected = request.kind === 'tags' ? request.paths.length : 0
      const job: Job = { request, expected, received, settle }
      function settle(error: Error | null) {
        signal?.removeEventListener('abort', abandon)
        resolve({ received, failed: error !== null })
      }
      function abandon() {
        const at = waiting.indexOf(job)
        if (at >= 0) waiting.splice(at, 1)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abandon, { once: true })
      if (urgent) waiting.unshift(job)
      else waiting.push(job)
      const sleeper = idle.pop()
      if (sleeper) sleeper.wake()
      else if (children.size < options.processes) startChild()
    })
  }

  /** Reads a batch; after a death, one file at a time, so that the death is laid at the right file's door. */
  async function readBatch(paths: readonly string[], signal: AbortSignal | undefined): Promise<Reading[]> {
    const { received, failed } = await run({ kind: 'tags', paths }, signal, false)
    const readings = readingsOf(received)
    if (!failed) return readings
    if (closed) throw new CodedError('UNREACHABLE', 'the tag reader has been closed')
    if (paths.length === 1) return [{ ok: false, fault: { code: 'READER_FAILED' } }]
    for (const path of paths.slice(readings.length)) readings.push(...(await readBatch([path], signal)))
    return readings
  }

  return {
    async readTags(paths, signal) {
      const batches: Array<Promise<Reading[]>> = []
      for (let at = 0; at < paths.length; at += batch)
        batches.push(readBatch(paths.slice(at, at + batch), signal))
      return (await Promise.all(batches)).flat()
    },
    async readLyrics({ path, beside }, signal) {
      const request = { kind: 'lyrics', path: path ?? null, beside: beside ?? null } as const
      const { received, failed } = await run(request, signal, true)
      if (failed) throw new CodedError('READER_FAILED')
      return received.flatMap((found) => (found.kind === 'lyrics' ? found.lyrics.map(withoutUndefined) : []))
    },
    async readCover(path, signal) {
      const { received, failed } = await run({ kind: 'cover', path }, signal, true)
      if (failed) throw new CodedError('READER_FAILED')
      const [found] = received
      return found?.kind === 'cover' ? found.cover : null
    },
    async [Symbol.asyncDispose]() {
      closed = true
      for (const job of waiting.splice(0)) job.settle(new Error('closed'))
      await Promise.all([...children].map((child) => child.stop()))
    },
  }
}

interface Outcome {
  readonly received: readonly Answer[]
  readonly failed: boolean
}

function readingsOf(received: readonly Answer[]): Reading[] {
  return received.flatMap((message) => (message.kind === 'tags' ? message.readings : []))
}

function withoutUndefined({ synced, language, lines }: SentLyrics): Lyrics {
  return {
    synced,
    ...(language === undefined ? {} : { language }),
    lines: lines.map(({ text, startMs, words }) => ({
      text,
      ...(startMs !== undefined && { startMs }),
      ...(words !== undefined && { words: words.map(timesOf) }),
    })),
  }
}

type SentLyrics = Extract<Answer, { kind: 'lyrics' }>['lyrics'][number]

function timesOf({ endMs, ...word }: NonNullable<SentLyrics['lines'][number]['words']>[number]): TimedWord {
  return endMs === undefined ? word : { ...word, endMs }
}
