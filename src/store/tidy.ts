import type { MessagePort } from 'node:worker_threads'

/** Milliseconds without work after which a thread is tidied. */
const usualIdle = 1_000
/** Milliseconds until it may be tidied again. */
const rest = 60_000

/**
 * Has a thread collect its garbage while nobody asks it anything. V8 does so only when it wants room, and a thread that
 * rests wants none: for days it would keep what its modules, or a page of many songs, have left behind. It takes some
 * 30 ms, so the main thread, which serves audio, does not. Only where Node was told to let us (tools/launch/thrift.mjs).
 */
export function tidyWhenIdle(port: MessagePort, idle: number = usualIdle): void {
  const { gc } = globalThis
  if (gc === undefined) return
  let askedAt = performance.now()
  let timer: NodeJS.Timeout | undefined = setTimeout(look, idle).unref()
  port.on('message', () => {
    askedAt = performance.now()
    timer ??= setTimeout(look, rest).unref()
  })

  function look() {
    const left = askedAt + idle - performance.now()
    timer = left > 0 ? setTimeout(look, left).unref() : undefined
    // Any other kind would keep the pages that it empties.
    if (timer === undefined) gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
}
