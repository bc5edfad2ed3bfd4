import type { Answer, Reading, Request } from './messages.ts'
import { createFileReader, readLyricsFile } from './read-file.ts'

/**
 * The process in which untrusted files are parsed (law S1). It may read files and nothing else; the parent kills it
 * when it hangs and starts another when it dies. Answers go out at least every quarter of a second, or silence.
 */
const flushMs = 250
const most = 32

const files = createFileReader()

process.on('message', (request: Request) => {
  if (request.kind === 'tags') readAll(request.paths)
  else if (request.kind === 'cover') send({ kind: 'cover', cover: files.readCover(request.path) })
  else send({ kind: 'lyrics', lyrics: lyricsOf(request.path, request.beside) })
})
process.on('disconnect', () => process.exit())

function readAll(paths: readonly string[]) {
  let readings: Reading[] = []
  let flushedAt = performance.now()
  for (const path of paths) {
    readings.push(files.readTags(path))
    const now = performance.now()
    if (readings.length < most && now - flushedAt < flushMs) continue
    send({ kind: 'tags', readings })
    readings = []
    flushedAt = now
  }
  send({ kind: 'tags', readings })
}

/** What stands beside the file was put there on purpose: it comes first. */
function lyricsOf(
  path: string | null,
  beside: string | Uint8Array | null,
): Extract<Answer, { kind: 'lyrics' }>['lyrics'] {
  const own = beside === null ? [] : readLyricsFile(beside)
  const embedded = path === null ? [] : files.readLyrics(path)
  return [...own, ...embedded].map((found) => ({ ...found, lines: [...found.lines] }))
}

function send(answer: Answer) {
  process.send?.(answer)
}
