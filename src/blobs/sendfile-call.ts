import koffi from 'koffi'
import type { Calls } from './sendfile.ts'

/** `MSG_DONTWAIT` and `MSG_NOSIGNAL`, which Linux numbers alike for every processor here. */
const flags = 0x40 | 0x4000

/**
 * A module of its own, since the library takes settings only before its first call: however many ask for it, this runs
 * once. It throws where the library's package for this platform is not installed.
 */
export const calls: Calls = bind()

function bind(): Calls {
  // Its stacks are for calls of any kind, and would be a megabyte each.
  koffi.config({
    ...koffi.config(),
    sync_stack_size: 65_536,
    sync_heap_size: 65_536,
    resident_async_pools: 0,
  })
  // Node itself is linked to libc.
  const libc = koffi.load(null)
  const sendfile = libc.func('int64_t sendfile(int to, int from, void *offset, size_t length)')
  const send = libc.func('int64_t send(int to, void *bytes, size_t length, int flags)')
  const position = new BigInt64Array(1)
  return {
    sendfile(to, from, offset, length) {
      position[0] = BigInt(offset)
      return Number(sendfile(to, from, position, length))
    },
    send: (to, bytes) => Number(send(to, bytes, bytes.length, flags)),
  }
}
