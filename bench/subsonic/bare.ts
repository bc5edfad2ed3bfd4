import { createServer } from 'node:http'

/**
 * A server that does nothing but some work and then answers: `node bare.ts <milliseconds> <bytes>`, with an IPC channel
 * on which it says its port. What its answers take says how even the machine is, whoever gives them.
 */
const [milliseconds = '8', bytes = '590000'] = process.argv.slice(2)

const items = Array.from({ length: 40 }, (_, at) => ({
  id: 'x'.repeat(36),
  name: `Name ${at}`,
  list: [at, 1.5],
}))
const text = JSON.stringify(items)

function work(rounds: number): void {
  for (let round = 0; round < rounds; round += 1) JSON.stringify(JSON.parse(text))
}

function timeOf(rounds: number): number {
  const begin = performance.now()
  work(rounds)
  return performance.now() - begin
}

/** Rounds that take that long at the median: a clock that is looked at meanwhile would hide what held the work up. */
function roundsFor(wanted: number): number {
  const tried = 200
  const times = Array.from({ length: 50 }, () => timeOf(tried)).toSorted((a, b) => a - b)
  return Math.max(1, Math.round((tried * wanted) / (times[25] ?? wanted)))
}

const rounds = roundsFor(Number(milliseconds))
const answer = JSON.stringify({ 'subsonic-response': { status: 'ok', text: 'x'.repeat(Number(bytes)) } })

const server = createServer((_request, response) => {
  work(rounds)
  response.end(answer)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') process.send?.(address?.port)
})
process.once('disconnect', () => process.exit())
