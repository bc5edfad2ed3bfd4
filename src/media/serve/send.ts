import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Shortcut } from '../../blobs/blobs.ts'
import { answer, type ServeOptions, type ServeRequest } from './answer.ts'
import { type ByteRange, isComplete, type Production, type Representation } from './representation.ts'

/** A listener who takes all that is written gets large pieces; one who takes their time holds only a small one. */
const largePiece = 256 * 1_024
const smallPiece = 64 * 1_024
/** What goes past this process is sent in one call, which takes some 100 µs. */
const shortcutPiece = 1_024 * 1_024

/**
 * Answers the request with these bytes, and disposes of them. Headers that `response` has already are kept, ours win.
 * Resolves when the last byte has been handed to the system, or the listener has gone. Where reading fails once bytes
 * have been sent, the connection is cut, so that nobody takes a part for the whole, and the error is thrown.
 */
export async function send(
  request: ServeRequest,
  response: ServerResponse,
  bytes: Representation | Production,
  options: ServeOptions = {},
): Promise<void> {
  using held = bytes
  const { status, headers, body } = answer(request, held, options)
  // One object: Node would look twice at each header that was set before.
  response.writeHead(status, { ...options.carried, ...headers })
  if (body === null) return void response.end()
  const listener = listenerOf(response)
  try {
    if (isComplete(held)) await writeRange(held, body, listener, options.onShortcut)
    else await writeAll(held, listener)
    if (!listener.gone.aborted) response.end()
  } catch (error) {
    response.destroy()
    if (!listener.gone.aborted) throw error
  }
}

/**
 * Sends the rest of an answer whose headers have been written to `socket`, without a ServerResponse. Resolves and throws
 * as `send`.
 */
export async function sendRest(
  socket: Socket,
  bytes: Representation,
  range: ByteRange,
  onShortcut?: (sent: number) => void,
): Promise<void> {
  using held = bytes
  const listener = listenerOf(socket)
  try {
    await writeRange(held, range, listener, onShortcut)
  } catch (error) {
    socket.destroy()
    if (!listener.gone.aborted) throw error
  } finally {
    listener.leave()
  }
}

interface Listener {
  /** Aborted when the listener has gone. */
  readonly gone: AbortSignal
  /**
   * Writes the chunk, which may be overwritten afterwards. `taken`: the system had room for all of it at once;
   * `waited`: the listener had to make room first.
   */
  write(chunk: Uint8Array): Promise<'taken' | 'waited' | 'gone'>
  /**
   * Sends what the shortcut can, and answers how many bytes. None where there is no shortcut, something is still to be
   * written before it, or the listener takes their time: then write, which waits for room.
   */
  take(shortcut: Shortcut | null): number
  /** Nobody looks any more whether the listener is there: a connection may outlive many answers. */
  leave(): void
}

function listenerOf(to: ServerResponse | Socket): Listener {
  const gone = new AbortController()
  let leave: (() => void) | null = null
  let begun = false
  const close = (): void => {
    if (to.writableFinished) return
    gone.abort(new Error('the listener has gone'))
    leave?.()
  }
  if (to.destroyed) close()
  else to.once('close', close)
  return {
    gone: gone.signal,
    write(chunk) {
      return new Promise((resolve) => {
        if (gone.signal.aborted) return resolve('gone')
        let outcome: 'taken' | 'waited' = 'taken'
        // Node would put the head and a first piece together, in memory that is new each time.
        if (!begun && 'flushHeaders' in to && chunk.length > largePiece) to.flushHeaders()
        begun = true
        leave = () => resolve('gone')
        to.write(chunk, (error) => resolve(error ? 'gone' : outcome))
        if (to.writableLength > 0) outcome = 'waited'
      })
    },
    take(shortcut) {
      if (shortcut === null || numberOf(socketOf(to)) === null) return 0
      if (!begun && 'flushHeaders' in to) to.flushHeaders()
      begun = true
      const socket = numberOf(socketOf(to))
      return socket === null || to.writableLength > 0 ? 0 : shortcut(socket)
    },
    leave: () => void to.off('close', close),
  }
}

/** A listener who goes away while nothing comes gives up their share at once. */
async function writeAll(production: Production, listener: Listener): Promise<void> {
  listener.gone.addEventListener('abort', () => production[Symbol.dispose](), { once: true })
  for await (const chunk of production.bytes) if ((await listener.write(chunk)) === 'gone') return
}

async function writeRange(
  bytes: Representation,
  { start, end }: ByteRange,
  listener: Listener,
  onShortcut?: (sent: number) => void,
): Promise<void> {
  let piece = largePiece
  let position = start
  while (position < end) {
    const wanted = Math.min(shortcutPiece, end - position)
    const sent = listener.take(bytes.shortcut?.(position, wanted) ?? null)
    if (sent > 0) {
      onShortcut?.(sent)
      position += sent
      piece = sent === wanted ? largePiece : smallPiece
      if (position < end) await nextTurn()
      continue
    }
    const before = position
    const range = { start: position, end: bytes.isBulk ? end : Math.min(end, position + piece) }
    for await (const chunk of bytes.open(range, listener.gone)) {
      position += chunk.length
      const outcome = await listener.write(chunk)
      if (outcome === 'gone') return
      piece = outcome === 'taken' ? largePiece : smallPiece
    }
    if (position === before) throw new Error(`the bytes end at ${position}, before their size`)
  }
}

/** An answer has no socket yet while an earlier one on the same connection is being sent. */
function socketOf(to: ServerResponse | Socket): Socket | null {
  return 'flushHeaders' in to ? to.socket : to
}

/** The system's number of a socket that carries our bytes as they are; null where it does not. */
export function numberOf(socket: Socket | null): number | null {
  if (socket === null || socket.destroyed || socket instanceof TLSSocket) return null
  // What Node's handle of a connection tells on POSIX systems, though its types do not.
  const handle: unknown = Reflect.get(socket, '_handle')
  const isOpen = typeof handle === 'object' && handle !== null && 'fd' in handle
  return isOpen && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : null
}
