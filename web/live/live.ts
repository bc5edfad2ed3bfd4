import type { LiveMessage } from '../../src/protocol/api/live.ts'

export interface Live {
  stop(): void
}

export interface LiveParts {
  /** Asked before each attempt: it may be another gateway's by then. */
  address(): string
  onMessage(message: LiveMessage): void
  /** `false`: the connection was lost and is tried again; `true`: it is there (again). */
  onConnected(connected: boolean): void
}

const longestWaitMs = 20_000

/** Keeps a WebSocket to the server open. Waits longer after each failure, with chance so that pages do not come all at once. */
export function connectLive({ address, onMessage, onConnected }: LiveParts): Live {
  let socket: WebSocket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let stopped = false

  function open() {
    clearTimeout(timer)
    const opened = new WebSocket(address())
    socket = opened
    opened.addEventListener('message', (event) => {
      const message = parseMessage(event.data)
      if (message === undefined) return
      if (message.type === 'hello') {
        failures = 0
        onConnected(true)
      }
      onMessage(message)
    })
    opened.addEventListener('close', () => {
      if (stopped || socket !== opened) return
      onConnected(false)
      failures += 1
      timer = setTimeout(open, Math.min(500 * 2 ** failures, longestWaitMs) * (0.5 + Math.random() / 2))
    })
  }

  /** The network is back, or the page is seen again: no reason to wait. */
  function openNow() {
    if (stopped || document.visibilityState === 'hidden' || socket?.readyState === WebSocket.OPEN) return
    if (socket?.readyState !== WebSocket.CONNECTING) open()
  }

  window.addEventListener('online', openNow)
  document.addEventListener('visibilitychange', openNow)
  open()

  return {
    stop() {
      stopped = true
      clearTimeout(timer)
      window.removeEventListener('online', openNow)
      document.removeEventListener('visibilitychange', openNow)
      socket?.close()
    },
  }
}

const types: readonly string[] = ['hello', 'changed', 'scan'] satisfies LiveMessage['type'][]

function parseMessage(data: unknown): LiveMessage | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(data)
    return isMessage(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Newer servers may say things that this page does not know; it keeps to those that it does. */
function isMessage(value: unknown): value is LiveMessage {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    types.includes(value.type)
  )
}
