import { setTimeout as pause } from 'node:timers/promises'
import type { ScanRequest } from '../../catalog/scan/scan.ts'
import type { Scanning } from '../../gateway/gateway.ts'
import { type ScanStatus, scanStatus } from '../../protocol/api/catalog.ts'
import { CodedError, isCoded } from '../../protocol/errors.ts'
import type { Id } from '../../protocol/ids.ts'
import type { Calls } from '../../registry/calls.ts'

export interface ScanningEverywhereOptions {
  readonly self: Id
  readonly calls: Pick<Calls, 'ask' | 'candidates'>
  /** The scanner of this node; null: it does not have the role `catalog`. */
  readonly here: Scanning | null
}

/** Scans on all nodes with music folders, as one. */
export interface ScanningEverywhere extends Scanning, AsyncDisposable {}

const deadlineMs = 3_000
/** How often other nodes are asked how far they are: while one is at work, and while none is. Milliseconds. */
const busyPauseMs = 500
const idlePauseMs = 5_000

export function createScanningEverywhere(options: ScanningEverywhereOptions): ScanningEverywhere {
  const { self, calls, here } = options
  const ending = new AbortController()
  const listeners = new Set<() => void>()
  const others = new Map<Id, ScanStatus>()
  let wake = new AbortController()
  const nodes = () =>
    calls
      .candidates('catalog')
      .map(({ id }) => id)
      .filter((id) => id !== self)
  const status = () => sumOf([...(here === null ? [] : [here.status]), ...others.values()])
  const unsubscribe = here?.subscribe(tell)

  function tell(): void {
    for (const listener of listeners) listener()
  }

  /** Asks the other nodes how far they are. One that does not answer counts as one that does nothing. */
  async function look(): Promise<void> {
    const before = JSON.stringify([...others])
    const known = nodes()
    for (const node of [...others.keys()]) if (!known.includes(node)) others.delete(node)
    await Promise.all(known.map(lookAt))
    if (JSON.stringify([...others]) !== before) tell()
  }

  async function lookAt(node: Id): Promise<void> {
    try {
      const request = { method: 'GET', path: '/scan' } as const
      others.set(node, await calls.ask(node, request, scanStatus, { deadlineMs, signal: ending.signal }))
    } catch {
      others.delete(node)
    }
  }

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      await look()
      const isBusy = [...others.values()].some(({ phase }) => phase !== 'idle')
      const woken = AbortSignal.any([ending.signal, wake.signal])
      await pause(isBusy ? busyPauseMs : idlePauseMs, undefined, { signal: woken, ref: false }).catch(
        () => undefined,
      )
      if (wake.signal.aborted) wake = new AbortController()
    }
  }

  async function begin(node: Id, scan: ScanRequest): Promise<boolean> {
    try {
      const request = { method: 'POST', path: '/scan', json: scan, repeatable: true } as const
      others.set(node, await calls.ask(node, request, scanStatus, { deadlineMs, signal: ending.signal }))
      return true
    } catch (error) {
      if (isCoded(error)) return false
      throw error
    }
  }

  const following = follow()

  return {
    get status() {
      return status()
    },
    subscribe(listener) {
      const told = () => listener(status())
      listeners.add(told)
      return () => listeners.delete(told)
    },
    async scan(request = {}, signal) {
      const mine = here?.scan(request, signal)
      // Whoever is not there scans when it comes back.
      const begun = await Promise.all(nodes().map((node) => begin(node, request)))
      wake.abort()
      tell()
      if (here === null && !begun.includes(true)) throw new CodedError('ROLE_AWAY', 'catalog')
      await mine
      return status()
    },
    giveWayTo: (isHeard) => here?.giveWayTo(isHeard),
    async [Symbol.asyncDispose]() {
      unsubscribe?.()
      ending.abort(new DOMException('the node is stopping', 'AbortError'))
      await following
    },
  }
}

/** The phase that says most to who waits. */
const phases = ['walking', 'reading', 'removing', 'hashing', 'idle'] as const
type Counter = Exclude<keyof ScanStatus, 'phase' | 'startedAt' | 'finishedAt' | 'error'>

function sumOf(all: readonly ScanStatus[]): ScanStatus {
  const sum = (name: Counter) => all.reduce((total, each) => total + each[name], 0)
  const phase = phases.find((each) => all.some((one) => one.phase === each)) ?? 'idle'
  const started = all.flatMap(({ startedAt }) => startedAt ?? [])
  const finished = all.flatMap(({ finishedAt }) => finishedAt ?? [])
  const error = all.find((one) => one.error !== undefined)?.error
  return {
    phase,
    seen: sum('seen'),
    toRead: sum('toRead'),
    read: sum('read'),
    added: sum('added'),
    changed: sum('changed'),
    moved: sum('moved'),
    removed: sum('removed'),
    problems: sum('problems'),
    unhashed: sum('unhashed'),
    ...(started.length > 0 && { startedAt: Math.max(...started) }),
    ...(finished.length > 0 && { finishedAt: Math.max(...finished) }),
    ...(error !== undefined && { error }),
  }
}
