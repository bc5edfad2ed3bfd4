import { openEtcdStore } from './etcd/etcd.ts'
import { moveFacts } from './move.ts'
import { openSqliteStore } from './sqlite.ts'

/** Moves facts in a process of its own, which kills itself at the step of the number that its parent sends. */
const { from, to, killAt } = await new Promise<{ from: string; to: string; killAt: number }>((resolve) => {
  process.once('message', resolve)
})

const open = (place: string) =>
  place.startsWith('http') ? openEtcdStore({ endpoints: place.split(',') }) : openSqliteStore(place)

{
  await using source = await open(from)
  await using target = await open(to)
  let steps = 0
  await moveFacts({
    from: source,
    to: target,
    source: 'retired',
    progress() {
      steps += 1
      if (steps === killAt) process.kill(process.pid, 'SIGKILL')
    },
  })
}
process.disconnect()
