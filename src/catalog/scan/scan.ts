import type { ScanStatus } from '../../protocol/api/catalog.ts'
import type { Problem } from '../../protocol/facts/catalog.ts'
import type { Id } from '../../protocol/ids.ts'

/** Keeps the catalog's facts in step with the music folders. `createScanner` makes it. */
export interface Scanner extends AsyncDisposable {
  /** How far the present scan has come, or how the last one ended. */
  readonly status: ScanStatus
  /** Calls `listener` at most ten times a second while the status changes; answers the function that ends it. */
  subscribe(listener: (status: ScanStatus) => void): () => void
  /**
   * Compares the libraries (or one, or some folders of it) with the catalog, and resolves when that is done. One scan
   * runs at a time: a second waits for the first. Problems of files become facts; it rejects only where the store or
   * the index fail, or with the signal's reason.
   */
  scan(request?: ScanRequest, signal?: AbortSignal): Promise<ScanStatus>
  /** While `isHeard` says that somebody listens, files are not read whole, or only a few: the disk is the listeners'. */
  giveWayTo(isHeard: () => boolean): void
  /**
   * Keeps what was found wrong with a file when it was used (a picture that cannot be read, damage), until a scan sees
   * that the file has changed. Waits for the scan that runs. What is known to be wrong with it already stays.
   */
  note(problem: Pick<Problem, 'library' | 'path' | 'code' | 'detail'>): Promise<void>
}

export interface ScanRequest {
  readonly library?: Id | undefined
  /** Only what lies in these folders of the library; relative paths. */
  readonly folders?: readonly string[] | undefined
  /** Reads every file again, and believes in folders that have become empty: their tracks are removed. */
  readonly full?: boolean | undefined
}
