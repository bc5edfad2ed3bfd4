import type { Change, Entry } from '../store.ts'
import type { KeyValue, WatchEvent } from './messages.ts'

/** Where our keys stand among those of others in the same etcd. */
export interface Keys {
  /** The key in etcd of one of ours. */
  full(key: string): string
  /** The first key in etcd of those that begin with `prefix` and come after `after`. */
  after(prefix: string, after: string | undefined): string
  /** The first bytes after everything that begins with `prefix`. */
  end(prefix: string): Uint8Array
  entry(entry: KeyValue): Entry
  change(event: WatchEvent): Change
  /** The key that says which store this is; it stands beside the facts. */
  readonly identity: string
}

const leased = (lease: string | undefined) => (lease === undefined ? {} : { lease })

export function createKeys(namespace: string): Keys {
  const facts = `${namespace}facts/`
  const own = (full: string) => full.slice(facts.length)
  return {
    identity: `${namespace}store`,
    full: (key) => facts + key,
    after(prefix, after) {
      const isLater = after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0
      // The smallest key after another is that key and a zero byte.
      return facts + (isLater ? `${after}\0` : prefix)
    },
    // UTF-8 never holds the byte FF.
    end: (prefix) => Buffer.concat([Buffer.from(facts + prefix), Buffer.from([0xff])]),
    entry: ({ key, value, revision, lease }) => ({ key: own(key), value, revision, ...leased(lease) }),
    change: ({ key, value, lease, deleted }) =>
      deleted ? { key: own(key), value: null } : { key: own(key), value, ...leased(lease) },
  }
}
