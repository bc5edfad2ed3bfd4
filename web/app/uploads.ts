import type { HttpStack, Upload } from 'tus-js-client'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import type { UploadResult } from '../../src/protocol/api/uploads.ts'
import type { Gateways } from '../api/gateways.ts'
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

/**
 * Files on their way to the server, whichever screen is shown. The tus client is loaded with the first of them. When the
 * machine dies that serves the page, they go on through another one; and anew, where the one had died that had their
 * first bytes.
 */
export function createUploads(
  gateways: Pick<Gateways, 'base' | 'reach' | 'check'>,
  onArrived: () => void,
): Uploads {
  const state = createStore<{ items: readonly UploadItem[] }>({ items: [] })
  const files = new Map<number, File>()
  const running = new Map<number, Running>()
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
      goOn: () => undefined,
    })
    change(id, { state: 'sending' })
    const { DefaultHttpStack, Upload } = await import('tus-js-client')
    if (stopped) return
    const upload = new Upload(file, {
      endpoint: '/api/uploads',
      httpStack: throughGateways(new DefaultHttpStack({}), gateways),
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
      onShouldRetry(error) {
        const status = error.originalResponse?.getStatus() ?? 0
        // Nobody answered: the next attempt goes to a machine that does.
        if (status === 0) void gateways.check()
        return status < 400 || status >= 500 || status === 409 || status === 423
      },
      onError(error) {
        const response = 'originalResponse' in error ? error.originalResponse : null
        finished(id, { state: 'failed', error: problemIn(response?.getBody() ?? '') })
      },
    })
    running.set(id, runningOf(upload))
    const [previous] = await upload.findPreviousUploads()
    if (previous !== undefined) upload.resumeFromPreviousUpload(previous)
    upload.start()
  }

  // What is under way to a machine that fell silent would hang there.
  gateways.base.subscribe(() => {
    for (const upload of running.values()) upload.goOn()
  })

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

interface Running {
  abort(): void
  /** From where the server has come to, at the gateway that is used now. */
  goOn(): void
}

function runningOf(upload: Upload): Running {
  let turn = 0
  return {
    abort() {
      turn += 1
      void upload.abort()
    },
    goOn() {
      turn += 1
      const own = turn
      void upload.abort().then(() => {
        if (turn === own) upload.start()
      })
    },
  }
}

/** An upload is known by its path; which gateway is asked for it may change from one request to the next. */
function throughGateways(stack: HttpStack, gateways: Pick<Gateways, 'reach'>): HttpStack {
  return {
    getName: () => 'gateways',
    createRequest(method, address) {
      const { pathname } = new URL(address, location.href)
      const { url, headers } = gateways.reach(pathname)
      const request = stack.createRequest(method, url)
      for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
      return request
    },
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
