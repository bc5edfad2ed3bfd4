import { DatabaseSync } from 'node:sqlite'
import { openKnownFiles } from './known.ts'
import type { WalkEvent, WalkMessage, WalkOrder } from './messages.ts'
import { walk } from './walk.ts'

/**
 * The process that walks libraries, one after another: a disk that hangs hangs only this. It may read and nothing else.
 * What has vanished is said first, so that what has moved is known when it is met; a library of which nothing is known
 * has nothing to wait for, and its files are said as they are met.
 */
const batch = 250
const most = 4
const reportMs = 200

let unacknowledged = 0
let resume = () => {}

process.on('message', (message: WalkOrder | 'more') => {
  if (message !== 'more') return void run(message)
  unacknowledged--
  resume()
})
process.on('disconnect', () => process.exit())

async function run(order: WalkOrder) {
  unacknowledged = 0
  using db = new DatabaseSync(order.index, { readOnly: true, timeout: 5_000 })
  const known = openKnownFiles(db, order.library)
  const isNew = known.current === undefined
  let seen = 0
  let sentAt = performance.now()
  const events: WalkEvent[] = []
  const later: WalkEvent[] = []

  const send = (done: boolean) => {
    unacknowledged++
    sentAt = performance.now()
    const message: WalkMessage = { seen, events: events.splice(0, batch), done }
    process.send?.(message)
  }
  const flow = async () => {
    if (events.length >= batch || performance.now() - sentAt > reportMs) send(false)
    while (unacknowledged >= most) await new Promise<void>((resolve) => (resume = resolve))
  }

  // A file without differences yields nothing, so progress is told from where files are counted.
  const count = () => {
    seen++
    if (seen % 2_000 === 0 && events.length === 0 && performance.now() - sentAt > reportMs) send(false)
  }
  for (const event of walk({ ...order, seen: count }, known)) {
    if (event.kind === 'file' && !isNew) later.push(event)
    else events.push(event)
    await flow()
  }
  for (const event of later) {
    events.push(event)
    await flow()
  }
  while (events.length > batch) {
    send(false)
    await flow()
  }
  send(true)
}
