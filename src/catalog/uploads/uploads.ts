import type { IncomingMessage } from 'node:http'
import type { UploadSummary } from '../../protocol/api/uploads.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Viewer } from '../catalog.ts'

/**
 * Resumable uploads (tus 1.0.0: creation, creation-with-upload, expiration, termination). An upload is acknowledged
 * when its bytes are durable as a blob and its facts are committed, in that order (B3); whatever a process that died
 * left in between is finished at the next start (N2). `openUploads` makes it.
 */
export interface Uploads extends AsyncDisposable {
  /**
   * Answers a request to `/api/uploads` or `/api/uploads/<id>` other than GET. It reads the body of `request`, which
   * nothing may have consumed. The answer to the last byte carries an `UploadResult`. Rejects with a coded error, for
   * the edge to answer as a problem document: QUOTA_EXCEEDED, TOO_LARGE, DISK_FULL, UPLOAD_NOT_AUDIO, UPLOAD_EXPIRED,
   * UPLOAD_LOCKED, CONFLICT (wrong offset: ask for it with HEAD), NOT_FOUND, BAD_REQUEST.
   */
  handle(request: IncomingMessage, viewer: Viewer): Promise<UploadAnswer>

  /** Whether the upload was begun here. */
  has(upload: Id): boolean

  /** The user's uploads, newest first. */
  list(user: Id): Promise<UploadSummary[]>

  /** Resolves when what a former process had left has been finished or given up. */
  recovered(): Promise<void>
}

export interface UploadAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or null. */
  readonly body: string | null
}
