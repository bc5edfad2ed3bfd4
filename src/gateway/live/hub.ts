import type { WebSocket } from '@fastify/websocket'
import type { Accounts, Authenticated } from '../../accounts/accounts.ts'
import type { Index, IndexStep } from '../../index/index.ts'
import { queues, stations } from '../../listening/facts.ts'
import type { ScanStatus } from '../../protocol/api/catalog.ts'
import type { LiveMessage } from '../../protocol/api/live.ts'
import { isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Scanning } from '../gateway.ts'
import { addStep, type Changes, type Listener, type What } from './changes.ts'
import { watchKeys } from './watch.ts'

/** At most four messages of changes a second to each page: they are batched for so many milliseconds. */
const batchMs = 250
/** How often each connection is asked whether it is still there, and its session whether it still holds. */
const heartbeatMs = 25_000
/** While so many bytes wait for a slow page, its changes are gathered instead of sent. */
const mostWaiting = 256 * 1_024

/** Codes with which a connection is closed: the page signs in again, or connects again later. */
const closeCodes = { signedOut: 4401, goingAway: 1001 } as const

/** The pages that listen, and what each of them has not been told yet. */
export interface Hub extends Disposable {
  /** Keeps telling this page of changes until it goes, or until its token ends. */
  join(socket: WebSocket, token: string): void
  readonly size: number
}

export interface HubParts {
  readonly accounts: Pick<Accounts, 'authenticate'>
  readonly index: Pick<Index, 'revision' | 'subscribe'>
  readonly store: Pick<Store, 'watch' | 'status'>
  /** Whether the listener may know of the thing; deleted things are known to nobody. */
  readonly maySee: (listener: Listener, what: What, id: Id) => boolean
  readonly scan: Pick<Scanning, 'status' | 'subscribe'>
  readonly version: string
}

interface Connection {
  readonly socket: WebSocket
  readonly token: string
  listener: Listener
  changes: Changes
  scanChanged: boolean
  alive: boolean
  timer: NodeJS.Timeout | undefined
}

export function createHub(parts: HubParts): Hub {
  const { accounts, index, scan, store } = parts
  const connections = new Set<Connection>()

  function noteStep(step: Pick<IndexStep, 'keys' | 'more'>): void {
    const accountsChanged = step.more || step.keys.some((key) => key.startsWith('accounts/'))
    for (const connection of connections) {
      if (accountsChanged && !stillSignedIn(connection)) continue
      addStep(connection.changes, step, connection.listener)
      if (connection.changes.size > 0) tellSoon(connection)
    }
  }

  const ending = new AbortController()
  // These are read from the store, so no step of the index tells of them.
  for (const { prefix } of [queues, stations])
    void watchKeys(store, prefix, (keys) => noteStep({ keys, more: false }), ending.signal)
  const endings = [
    index.subscribe(noteStep),
    scan.subscribe(() => {
      for (const connection of connections) {
        connection.scanChanged = true
        tellSoon(connection)
      }
    }),
  ]
  const heartbeat = setInterval(() => {
    for (const connection of connections) checkAlive(connection)
  }, heartbeatMs)
  heartbeat.unref()

  function stillSignedIn(connection: Connection): boolean {
    const found = authenticated(connection.token)
    if (found === 'unknown') return true
    if (found === null) {
      connection.socket.close(closeCodes.signedOut, 'the session has ended')
      connections.delete(connection)
      return false
    }
    connection.listener = { user: found.user.id, administrator: found.user.role === 'administrator' }
    return true
  }

  /** While the index is being filled again nobody can tell who is signed in; the connection is kept until it can. */
  function authenticated(token: string): Authenticated | null | 'unknown' {
    try {
      return accounts.authenticate(token)
    } catch (error) {
      if (isCoded(error)) return 'unknown'
      throw error
    }
  }

  function checkAlive(connection: Connection): void {
    if (!stillSignedIn(connection)) return
    if (connection.alive) connection.socket.ping()
    else connection.socket.terminate()
    connection.alive = false
  }

  function tellSoon(connection: Connection): void {
    connection.timer ??= setTimeout(() => {
      connection.timer = undefined
      if (connection.socket.bufferedAmount > mostWaiting) tellSoon(connection)
      else tell(connection)
    }, batchMs)
  }

  function tell(connection: Connection): void {
    const { socket, changes, listener } = connection
    connection.changes = new Map()
    for (const [what, ids] of changes) {
      send(socket, { type: 'changed', revision: index.revision, what, ...namedIds(ids, what, listener) })
    }
    if (connection.scanChanged) {
      connection.scanChanged = false
      send(socket, { type: 'scan', status: statusFor(connection.listener, scan.status) })
    }
  }

  /** Ids are named only where the listener may see all of them; else the page just loads again what it shows. */
  function namedIds(ids: Set<Id> | null, what: What, listener: Listener): { ids?: Id[] } {
    if (ids === null || ![...ids].every((id) => parts.maySee(listener, what, id))) return {}
    return { ids: [...ids] }
  }

  return {
    join(socket, token) {
      const found = accounts.authenticate(token)
      if (found === null) return socket.close(closeCodes.signedOut, 'the session has ended')
      const listener = { user: found.user.id, administrator: found.user.role === 'administrator' }
      const connection: Connection = {
        socket,
        token,
        listener,
        changes: new Map(),
        scanChanged: false,
        alive: true,
        timer: undefined,
      }
      connections.add(connection)
      socket.on('pong', () => {
        connection.alive = true
      })
      // Pages only listen here. A message from one is a fault of it.
      socket.on('message', () => socket.close(1003, 'requests go by HTTP'))
      socket.on('error', () => socket.terminate())
      socket.on('close', () => {
        clearTimeout(connection.timer)
        connections.delete(connection)
      })
      send(socket, { type: 'hello', revision: index.revision, version: parts.version })
      send(socket, { type: 'scan', status: statusFor(listener, scan.status) })
    },
    get size() {
      return connections.size
    },
    [Symbol.dispose]() {
      clearInterval(heartbeat)
      ending.abort()
      for (const end of endings) end()
      for (const { socket, timer } of connections) {
        clearTimeout(timer)
        socket.close(closeCodes.goingAway, 'the server is going away')
      }
    },
  }
}

function send(socket: WebSocket, message: LiveMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
}

/** What went wrong in a scan may name folders, so only administrators are told. */
export function statusFor(
  { administrator }: Pick<Listener, 'administrator'>,
  status: ScanStatus,
): ScanStatus {
  const { error, ...rest } = status
  return administrator ? status : rest
}
