import koffi from 'koffi'
import type { Sendfile } from './sendfile.ts'

/**
 * A module of its own, since the library takes settings only before its first call: however many ask for it, this runs
 * once. It throws where the library's package for this platform is not installed.
 */
export const sendfile: Sendfile = bind()

function bind(): Sendfile {
  // Its stacks are for calls of any kind, and would be a megabyte each.
  koffi.config({
    ...koffi.config(),
    sync_stack_size: 65_536,
    sync_heap_size: 65_536,
    resident_async_pools: 0,
  })
  // Node itself is linked to libc.
  const call = koffi.load(null).func('int64_t sendfile(int to, int from, void *offset, size_t length)')
  const position = new BigInt64Array(1)
  return (to, from, offset, length) => {
    position[0] = BigInt(offset)
    return Number(call(to, from, position, length))
  }
}
