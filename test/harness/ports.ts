import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * The first of so many ports in a row that nobody listens on. They are below those that the system gives to outgoing
 * connections: one of these could take a port before it is used, or while who has it is started again.
 */
export async function freeRow(length = 4): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_000)
    const free = await Promise.all(rowFrom(first, length).map(isFree))
    if (free.every(Boolean)) return first
  }
}

/** So many ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  return rowFrom(await freeRow(count), count)
}

const rowFrom = (first: number, length: number) => Array.from({ length }, (_, step) => first + step)

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
