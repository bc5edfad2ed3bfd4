import type { Entry } from '../store.ts'
import type { KeyValue } from './messages.ts'

/** Where our keys stand among those of others in the same etcd. */
export interface Keys {
  /** The key in etcd of one of ours. */
  full(key: string): string
  /** The first key in etcd of those that begin with `prefix` and come after `after`. */
  after(prefix: string, after: string | undefined): string
  /** The first bytes after everything that begins with `prefix`. */
  end(prefix: string): Uint8Array
  entry(entry: KeyValue): Entry
  /** Our key of one in etcd. */
  own(full: string): string
  /** The key that says which store this is; it stands beside the facts. */
  readonly identity: string
}

export function createKeys(namespace: string): Keys {
  const facts = `${namespace}facts/`
  const own = (full: string) => full.slice(facts.length)
  return {
    identity: `${namespace}store`,
    full: (key) => facts + key,
    own,
    after(prefix, after) {
      const isLater = after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0
      // The smallest key after another is that key and a zero byte.
      return facts + (isLater ? `${after}\0` : prefix)
    },
    // UTF-8 never holds the byte FF.
    end: (prefix) => Buffer.concat([Buffer.from(facts + prefix), Buffer.from([0xff])]),
    entry: ({ key, value, revision }) => ({ key: own(key), value, revision }),
  }
}
