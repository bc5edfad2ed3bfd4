import type { Beside, File } from '../protocol/facts/catalog.ts'
import type { Id, Timestamp } from '../protocol/ids.ts'

/** A cover picture or a file of lyrics in the folder of a track's file. */
export interface FileBeside {
  readonly library: Id
  /** Relative to the library, escaped as in `scan/path.ts`. */
  readonly path: string
  readonly modifiedAt: Timestamp
  /** Absent until the file of this time has been read whole. */
  readonly is: Beside | undefined
}

/** What lies beside a file; one of which no time is known cannot be told from the next one under its name. */
export function besideOf(file: File): Record<'lyrics' | 'cover', FileBeside | undefined> {
  const { library, path, lyricsFile, lyricsModifiedAt, coverFile, coverModifiedAt } = file
  const of = (name: string | undefined, modifiedAt: Timestamp | undefined, is: Beside | undefined) =>
    name === undefined || modifiedAt === undefined
      ? undefined
      : { library, path: besidePath(path, name), modifiedAt, is }
  return {
    lyrics: of(lyricsFile, lyricsModifiedAt, file.lyrics),
    cover: of(coverFile, coverModifiedAt, file.cover),
  }
}

/** The path of a file of this name in the same folder. */
export function besidePath(path: string, name: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1) + name
}
