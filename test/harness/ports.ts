import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Rows begin at multiples of this, so that two of them are the same or have no port in common; the first port of each
 * shows whose it is.
 */
const distance = 16
/** Below the ports that the system gives to outgoing connections: one of these could take a port before it is used. */
const [lowest, tooHigh] = [10_000, 32_000] as const

/**
 * The first of so many ports in a row that nobody listens on. They are ours until this process ends, also before they
 * are used and while whoever has them is started again: other test files look for ports at the same time.
 */
export async function freeRow(length = 4): Promise<number> {
  if (length >= distance) throw new Error(`a row has at most ${distance - 1} ports`)
  for (;;) {
    const sign = randomInt(lowest / distance, tooHigh / distance) * distance
    if (!(await take(sign))) continue
    const free = await Promise.all(rowFrom(sign + 1, length).map(isFree))
    if (free.every(Boolean)) return sign + 1
  }
}

/** So many ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  return rowFrom(await freeRow(count), count)
}

const rowFrom = (first: number, length: number) => Array.from({ length }, (_, step) => first + step)

/** Listens on the port for as long as this process lives; answers whether it could. */
function take(port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy()).unref()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
