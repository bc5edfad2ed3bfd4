import type { OnReadOpts } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import type { Attempt, Incoming, Outgoing } from './attempt.ts'
import { type Head, parseHead } from './head.ts'
import { createRoom, type Room } from './room.ts'
import { splitAddress } from './trust/address.ts'

/**
 * GETs of whole blobs from one node, over connections of their own, which are kept. TLS brings 16 KiB at a time; as
 * objects that pass through `node:http`, the streams and our own generators each of them costs several times what
 * deciphering it does, and what they leave has V8 collect garbage all the time. So here the socket writes into a large
 * piece of memory, which is handed out when it is full, and used again afterwards.
 */
export interface Bulk extends Disposable {
  /** The answer's pieces are overwritten once the next one has been asked for. */
  begin(address: string, outgoing: Outgoing): Attempt
  /** Closes the connections that wait for a request; the others when their answer is over. */
  end(): void
}

/** A reader waits so long for a piece to be full, in milliseconds. */
const fillMs = 250

/** `idleMs`: how long a connection waits for the next request. */
export function createBulk(options: ConnectionOptions, idleMs: number): Bulk {
  const open = new Set<Connection>()
  const idle = new Map<Connection, string>()
  let ended = false

  function connectTo(address: string): Connection {
    const connection = openConnection({ ...options, ...splitAddress(address) }, () => {
      open.delete(connection)
      idle.delete(connection)
    })
    open.add(connection)
    return connection
  }

  function takeIdle(address: string): Connection | null {
    for (const [connection, where] of idle) {
      if (where !== address) continue
      idle.delete(connection)
      return connection
    }
    return null
  }

  return {
    begin(address, outgoing) {
      const kept = takeIdle(address)
      const connection = kept ?? connectTo(address)
      const answered = connection.ask(requestText(address, outgoing), () => {
        if (ended) return connection.destroy()
        idle.set(connection, address)
        connection.rest(idleMs)
      })
      return {
        answered,
        wasConnected: connection.isConnected,
        wasKept: () => kept !== null,
        destroy: connection.destroy,
      }
    },
    end() {
      ended = true
      for (const connection of idle.keys()) connection.destroy()
    },
    [Symbol.dispose]() {
      ended = true
      for (const connection of open) connection.destroy()
    },
  }
}

function requestText(address: string, { method, path, headers }: Outgoing): string {
  const lines = Object.entries({ host: address, ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`
}

interface Connection {
  isConnected(): boolean
  /** Sends a request; `over` is called when all of its answer has come and been read. */
  ask(request: string, over: () => void): Promise<Incoming>
  /** Waits for the next request for so long, and keeps no process alive. */
  rest(ms: number): void
  destroy(error?: Error): void
}

function openConnection(options: ConnectionOptions, closed: () => void): Connection {
  const memory = createRoom()
  let current: Exchange | null = null
  let connected = false
  const onread: OnReadOpts = {
    buffer: memory.room,
    callback(length) {
      // Nobody has asked for anything: it is no node that speaks so.
      if (current === null) socket.destroy(new Error('it says what nobody asked'))
      else current.come(length)
      return memory.isTaken()
    },
  }
  // Of `net.connect`, which takes it from here.
  const withMemory: ConnectionOptions & { readonly onread: OnReadOpts } = { ...options, onread }
  const socket = connect(withMemory, () => {
    connected = true
  })
  socket.setNoDelay(true)
  let failure: Error | null = null
  socket.on('error', (error) => {
    failure = error
  })
  socket.on('timeout', () => socket.destroy())
  socket.on('close', () => {
    current?.break(failure ?? new Error('it broke off'))
    closed()
  })
  const destroy = (error?: Error) => void socket.destroy(error)

  return {
    isConnected: () => connected,
    destroy,
    ask(request, over) {
      socket.setTimeout(0)
      socket.ref()
      const exchange = createExchange(memory, {
        resume: () => void socket.resume(),
        destroy,
        over() {
          current = null
          if (!socket.destroyed) over()
        },
      })
      current = exchange
      socket.resume()
      if (socket.destroyed) exchange.break(new Error('it has been closed'))
      else socket.write(request)
      return exchange.answered
    },
    rest(ms) {
      // It has to hear that the other side closes it.
      socket.resume()
      socket.setTimeout(ms)
      socket.unref()
    },
  }
}

interface Exchange {
  readonly answered: Promise<Incoming>
  come(length: number): void
  break(error: Error): void
}

interface Line {
  resume(): void
  destroy(error?: Error): void
  over(): void
}

/** One answer: its head, and as many bytes of a body as that says. */
function createExchange(memory: Room, line: Line): Exchange {
  const answered = Promise.withResolvers<Incoming>()
  const listeners: (() => void)[] = []
  let hasBegun = false
  let left = 0
  let failure: Error | null = null
  let isOver = false
  let wake = Promise.withResolvers<void>()

  const hasCome = () => hasBegun && left === 0

  function finish(error: Error | null): void {
    if (isOver) return
    isOver = true
    failure = error
    if (error !== null) answered.reject(error)
    wake.resolve()
    for (const listener of listeners.splice(0)) listener()
  }

  function giveUp(error = new Error('nobody reads it')): void {
    if (isOver) return
    line.destroy(error)
    finish(error)
  }

  function handOut(): void {
    if (memory.filled().length > 0) memory.handOut()
    wake.resolve()
  }

  /** A piece that does not fill soon is handed out as it is, so that a slow line is not taken for a silent node. */
  async function wait(): Promise<void> {
    wake = Promise.withResolvers()
    const slow = setInterval(() => {
      if (memory.filled().length > 0) handOut()
    }, fillMs)
    line.resume()
    await wake.promise
    clearInterval(slow)
  }

  /** All has come and been read: the connection is free. */
  function end(): void {
    if (isOver) return
    line.over()
    finish(null)
  }

  async function* pieces(): AsyncGenerator<Uint8Array, undefined> {
    for (;;) {
      const piece = memory.take()
      if (piece !== null) {
        yield piece
        memory.giveBack()
      } else if (failure !== null) {
        throw failure
      } else if (hasCome()) {
        end()
        return
      } else {
        await wait()
      }
    }
  }

  function begin({ status, headers, length, bodyBytes }: Head): void {
    hasBegun = true
    memory.drop(length)
    left = bodyBytes
    answered.resolve({
      status,
      headers,
      pieces,
      isComplete: hasCome,
      destroy: giveUp,
      leave: () => (hasCome() && memory.isTaken() ? end() : giveUp()),
      onClose: (listener) => void (isOver ? listener() : listeners.push(listener)),
    })
    count(memory.filled().length)
  }

  function count(length: number): void {
    left -= length
    if (left < 0) giveUp(new Error('it sends more than it said'))
    else if (memory.isFull() || left === 0) handOut()
  }

  return {
    answered: answered.promise,
    come(length) {
      memory.fill(length)
      if (hasBegun) return count(length)
      try {
        const head = parseHead(memory.filled())
        if (head !== null) begin(head)
      } catch (error) {
        giveUp(error instanceof Error ? error : new Error(String(error)))
      }
    },
    break(error) {
      // What has come whole is read all the same.
      if (!hasCome()) finish(error)
    },
  }
}
