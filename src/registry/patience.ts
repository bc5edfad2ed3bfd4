/** How late a timer may be before our own thread is to blame, in milliseconds. */
const punctualMs = 20

/**
 * Calls `late` when nothing has come for so many milliseconds. What has come while our own thread was busy is heard first,
 * for timers are before the network in each turn of the event loop; and the time for which we were busy is given back
 * once, since the other side may have waited for us. Answers how to end it.
 */
export function afterSilence(ms: number, late: () => void): () => void {
  let timer: NodeJS.Timeout
  let turn: NodeJS.Immediate | undefined
  const wait = (left: number, expired: (byMs: number) => void) => {
    const due = performance.now() + left
    timer = setTimeout(() => {
      // One turn reads what has arrived, the next one has told whoever waits for it.
      turn = setImmediate(() => {
        turn = setImmediate(() => expired(performance.now() - due))
      })
    }, left)
  }
  wait(ms, (byMs) => {
    if (byMs <= punctualMs) late()
    else wait(Math.min(byMs, ms), late)
  })
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}
