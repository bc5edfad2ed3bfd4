import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { largestLyrics } from '../../protocol/facts/sizes.ts'
import { pathBytes } from '../scan/path.ts'
import { describeAudio } from './audio.ts'
import { boundTags, describeTags } from './describe.ts'
import { fieldsOf } from './fields.ts'
import { fingerprintOf } from './fingerprint.ts'
import { isTruncated } from './intact.ts'
import { type Lyrics, parseLyrics, parseTimedFrame } from './lyrics.ts'
import type { Value } from './messagepack.ts'
import type { FileProblem, Reading } from './messages.ts'
import { mp4Advisory } from './mp4.ts'
import { sniff } from './sniff.ts'
import { compileTagLib, openTagLib } from './taglib.ts'
import { decodeText } from './text.ts'
import { openWindow, type Window } from './window.ts'

/** A larger ID3v2 tag is stepped over; covers of twenty megabytes exist, tags of fifty are a fault or an attack. */
const largestTag = 32 * 1024 * 1024
/** What one file may make us read. */
const readBudget = 96 * 1024 * 1024
/** WebAssembly memory never shrinks; above this much the module is made anew. */
const memoryKept = 48 * 1024 * 1024

/** Reads tags, lyrics and covers of files, synchronously. Runs in the reader's child process only (law S1). */
export interface FileReader {
  readTags(path: string): Reading
  readLyrics(path: string): Lyrics[]
  readCover(path: string): Picture | null
}

/** A picture of its own memory, so that it can be sent. */
export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly mediaType: string
}

interface Opened {
  readonly descriptor: number
  readonly size: number
  readonly modifiedAt: number
}

export function createFileReader(): FileReader {
  const module = compileTagLib()
  const buffer = new Uint8Array(65_536)
  let tagLib = openTagLib(module)

  /** Runs TagLib; a trap in it (memory, a bug) costs this file alone. */
  function guarded<T>(run: () => T): T | null {
    try {
      return run()
    } catch {
      tagLib = openTagLib(module)
      return null
    } finally {
      if (tagLib.memory > memoryKept) tagLib = openTagLib(module)
    }
  }

  /** Everything TagLib says of the file; with `kind` and the faults that were met on the way. */
  function examine({ descriptor, size }: Opened) {
    const open = (start: number) => openWindow(descriptor, { start, end: size }, readBudget, buffer)
    const whole = open(0)
    const sniffed = sniff(whole)
    if (!sniffed) return null
    const { kind, skip } = sniffed
    const oversize = skip > largestTag
    // TagLib finds the ID3v2 tag of an MP3 itself; before other formats the tag only stands in its way.
    const window =
      oversize || (skip > 0 && !['mp3', 'aac', 'flac', 'ape', 'mpc', 'tta'].includes(kind))
        ? open(skip)
        : whole
    const answer = guarded(() => tagLib.read(window, kind === 'aac' ? 'mp3' : kind))
    return { kind, skip, answer, oversize: oversize || window.exhausted, open }
  }

  return {
    readTags: (path) =>
      withFile(path, (file) => {
        if (file.size === 0) return failed('FILE_EMPTY')
        const found = examine(file)
        if (!found) return failed('FILE_NOT_AUDIO')
        const { kind, answer } = found
        const audio = answer && describeAudio(answer, kind)
        if (answer?.get('isEncrypted') === true) return failed('FILE_ENCRYPTED')
        if (!answer || !audio) return failed(found.oversize ? 'TAGS_TOO_LARGE' : 'FILE_DAMAGED')
        if (audio.durationMs === 0) return failed('FILE_DAMAGED')
        const name = path.slice(path.lastIndexOf('/') + 1)
        const pictures = picturesOf(answer)
        const fields = fieldsOf(answer)
        const advisory = kind === 'm4a' ? mp4Advisory(found.open(0)) : undefined
        if (advisory !== undefined) fields.set('ITUNESADVISORY', [String(advisory)])
        const tags = boundTags(describeTags(fields, name, pictures.filter(isImage).length))
        const timed = kind === 'mp3' && !found.oversize && hasTimedLyrics(found.open(0), found.skip)
        const faults = [
          ...(found.oversize ? [fault('TAGS_TOO_LARGE')] : []),
          ...(isTruncated(found.open(0), kind, found.skip) ? [fault('FILE_TRUNCATED')] : []),
          ...(pictures.some((picture) => !isImage(picture)) ? [fault('COVER_NOT_AN_IMAGE')] : []),
          ...(isMislabelled(name, audio.suffix) ? [fault('FILE_MISLABELLED', audio.suffix)] : []),
        ]
        return {
          ok: true,
          tags: timed ? { ...tags, embeddedLyrics: true } : tags,
          audio,
          size: file.size,
          modifiedAt: file.modifiedAt,
          fingerprint: fingerprintOf(file.descriptor, file.size),
          faults,
        }
      }),

    readLyrics(path) {
      const found: Lyrics[] = []
      withFile(path, (file) => {
        const examined = examine(file)
        if (!examined?.answer) return failed('FILE_NOT_AUDIO')
        if (examined.kind === 'mp3' && !examined.oversize) {
          const frames = guarded(() => tagLib.id3Frames(examined.open(0), 'SYLT')) ?? []
          for (const frame of frames) found.push(...present(parseTimedFrame(frame)))
        }
        const fields = fieldsOf(examined.answer)
        for (const name of ['SYNCEDLYRICS', 'LYRICS', 'UNSYNCEDLYRICS']) {
          for (const text of fields.get(name) ?? []) found.push(...present(parseLyrics(text)))
        }
        return failed('FILE_NOT_AUDIO')
      })
      return found.slice(0, 50)
    },

    readCover(path) {
      let cover: Picture | null = null
      withFile(path, (file) => {
        const images = picturesOf(examine(file)?.answer ?? new Map()).filter(isImage)
        const best = images.find(({ type }) => type === 3) ?? images[0]
        if (best)
          cover = {
            bytes: best.bytes.slice(),
            mediaType: imageType(best.bytes) ?? 'application/octet-stream',
          }
        return failed('FILE_NOT_AUDIO')
      })
      return cover
    },
  }
}

/** The lyrics in a text file beside the music, of which the path or the bytes are given. */
export function readLyricsFile(file: string | Uint8Array): Lyrics[] {
  const bytes = typeof file === 'string' ? readFileSync(pathBytes(file)) : file
  return present(bytes.length > largestLyrics ? null : parseLyrics(decodeText(bytes)))
}

function withFile(path: string, use: (file: Opened) => Reading): Reading {
  let descriptor: number
  try {
    // O_NONBLOCK: a FIFO that has taken the place of a file must not hang us.
    descriptor = openSync(pathBytes(path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return isMissing(error) ? failed('FILE_MISSING') : failed('FILE_UNREADABLE', reason(error))
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return failed('FILE_UNREADABLE', 'not a plain file')
    return use({ descriptor, size: stat.size, modifiedAt: Math.trunc(stat.mtimeMs) })
  } catch (error) {
    return failed('FILE_UNREADABLE', reason(error))
  } finally {
    closeSync(descriptor)
  }
}

function fault(code: FileProblem, detail?: string) {
  return detail === undefined ? { code } : { code, detail }
}

function failed(code: FileProblem, detail?: string): Reading {
  return { ok: false, fault: fault(code, detail) }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** The system's code: its message would show the path. */
function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

function present<T>(value: T | null): T[] {
  return value === null ? [] : [value]
}

interface Embedded {
  readonly bytes: Uint8Array
  readonly type: number
}

function picturesOf(answer: ReadonlyMap<string, Value>): Embedded[] {
  const pictures = answer.get('pictures')
  if (!Array.isArray(pictures)) return []
  return pictures.flatMap((picture) => {
    if (!(picture instanceof Map)) return []
    const bytes = picture.get('data')
    const type = picture.get('type')
    return bytes instanceof Uint8Array ? [{ bytes, type: typeof type === 'number' ? type : 0 }] : []
  })
}

function isImage({ bytes }: Embedded): boolean {
  return imageType(bytes) !== null
}

/** The media type of a picture by its first bytes: what tags declare is often wrong. */
function imageType(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith('\x89PNG')) return 'image/png'
  if (head.startsWith('GIF8')) return 'image/gif'
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'image/webp'
  if (head.startsWith('BM')) return 'image/bmp'
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'image/tiff'
  if (head.slice(4, 8) === 'ftyp' && /^(?:avif|avis|heic|heix|mif1)/.test(head.slice(8))) return 'image/avif'
  return null
}

/** Whether the ID3v2 tag holds a SYLT frame: its name occurs in it, which is enough for a hint. */
function hasTimedLyrics(window: Window, length: number): boolean {
  const tag = new Uint8Array(Math.min(length, 65_536))
  return Buffer.from(tag.buffer, 0, window.read(tag, 0)).includes('SYLT')
}

/** Suffixes that name the same kind of file. */
const families = [
  ['mp3', 'mp2', 'mp1', 'mpga', 'mpeg'],
  ['ogg', 'oga', 'opus', 'spx'],
  ['m4a', 'm4b', 'm4p', 'm4r', 'mp4', 'aac', 'alac', '3gp'],
  ['wav', 'wave', 'bwf'],
  ['aiff', 'aif', 'aifc', 'afc'],
  ['wma', 'asf'],
  ['mpc', 'mp+', 'mpp'],
  ['dsf', 'dff'],
  ['mka', 'mkv', 'webm'],
]

function isMislabelled(name: string, suffix: string): boolean {
  const own = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return own !== suffix && !families.some((family) => family.includes(own) && family.includes(suffix))
}
