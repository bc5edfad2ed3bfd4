import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import type { UploadResult } from '../../src/protocol/api/uploads.ts'
import { isProblem, unreachable } from '../api/problem.ts'
import { createStore, type Store } from '../player/store.ts'

export type UploadState = 'waiting' | 'sending' | 'finishing' | 'done' | 'duplicate' | 'failed'

export interface UploadItem {
  id: number
  name: string
  size: number
  sent: number
  state: UploadState
  /** The title that the server read from the file. */
  title?: string
  track?: string
  error?: ProblemDocument
}

export interface Uploads {
  readonly state: Store<{ items: readonly UploadItem[] }>
  add(files: readonly File[]): void
  retry(id: number): void
  /** Stops sending, and takes it out of the list. */
  remove(id: number): void
  clearDone(): void
}

const atOnce = 3
const retriesAfterMs = [0, 500, 1_000, 3_000, 8_000, 15_000]

/** Files on their way to the server, whichever screen is shown. The tus client is loaded with the first of them. */
export function createUploads(onArrived: () => void): Uploads {
  const state = createStore<{ items: readonly UploadItem[] }>({ items: [] })
  const files = new Map<number, File>()
  const running = new Map<number, { abort(): void }>()
  let lastId = 0

  const change = (id: number, part: Partial<UploadItem>) =>
    state.set({ items: state.get().items.map((item) => (item.id === id ? { ...item, ...part } : item)) })

  function startMore() {
    for (const item of state.get().items) {
      if (running.size >= atOnce) return
      const file = files.get(item.id)
      if (item.state === 'waiting' && file !== undefined && !running.has(item.id)) void send(item.id, file)
    }
  }

  function finished(id: number, part: Partial<UploadItem>) {
    running.delete(id)
    change(id, part)
    startMore()
  }

  async function send(id: number, file: File) {
    let stopped = false
    running.set(id, {
      abort() {
        stopped = true
      },
    })
    change(id, { state: 'sending' })
    const { Upload } = await import('tus-js-client')
    if (stopped) return
    const upload = new Upload(file, {
      endpoint: '/api/uploads',
      metadata: { filename: file.name, filetype: file.type },
      retryDelays: retriesAfterMs,
      removeFingerprintOnSuccess: true,
      onProgress: (sent, total) => change(id, { sent, state: sent >= total ? 'finishing' : 'sending' }),
      onSuccess({ lastResponse }) {
        const result = parseResult(lastResponse.getBody())
        const known = result === undefined ? {} : { title: result.title, track: result.track }
        finished(id, { state: result?.duplicate === true ? 'duplicate' : 'done', sent: file.size, ...known })
        if (result?.duplicate !== true) onArrived()
      },
      onError(error) {
        const response = 'originalResponse' in error ? error.originalResponse : null
        finished(id, { state: 'failed', error: problemIn(response?.getBody() ?? '') })
      },
    })
    running.set(id, { abort: () => void upload.abort() })
    const [previous] = await upload.findPreviousUploads()
    if (previous !== undefined) upload.resumeFromPreviousUpload(previous)
    upload.start()
  }

  return {
    state,
    add(added) {
      const items = added.map((file): UploadItem => {
        lastId += 1
        files.set(lastId, file)
        return { id: lastId, name: file.name, size: file.size, sent: 0, state: 'waiting' }
      })
      state.set({ items: [...state.get().items, ...items] })
      startMore()
    },
    retry(id) {
      const { items } = state.get()
      const again = items.map(({ error: _, ...item }) =>
        item.id === id ? { ...item, state: 'waiting' as const } : item,
      )
      state.set({ items: items.map((item, index) => (item.id === id ? (again[index] ?? item) : item)) })
      startMore()
    },
    remove(id) {
      running.get(id)?.abort()
      running.delete(id)
      files.delete(id)
      state.set({ items: state.get().items.filter((item) => item.id !== id) })
      startMore()
    },
    clearDone: () =>
      state.set({
        items: state.get().items.filter(({ state }) => state !== 'done' && state !== 'duplicate'),
      }),
  }
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function parseResult(text: string): Pick<UploadResult, 'title' | 'track' | 'duplicate'> | undefined {
  const value = parse(text)
  if (value === undefined || !('title' in value) || !('track' in value) || !('duplicate' in value))
    return undefined
  return { title: String(value.title), track: String(value.track), duplicate: value.duplicate === true }
}

function problemIn(text: string): ProblemDocument {
  const value = parse(text)
  return isProblem(value) ? value : unreachable
}
