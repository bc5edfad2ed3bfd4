import { createServer } from 'node:net'

/** A machine listens on its port, and on the three that follow: for other nodes, for etcd's clients, and its members. */
const rowLength = 4
const usual = 4_650
const distance = 10
/** From here on the system may give a port to an outgoing connection at any time. */
const tooHigh = 32_000

/** The first ports of `count` rows that nobody listens on: the usual ones where they are free. */
export async function freeRows(count: number): Promise<readonly number[]> {
  const rows: number[] = []
  for (let port = usual; rows.length < count && port < tooHigh; port += distance) {
    if (await isRowFree(port)) rows.push(port)
  }
  return rows
}

export async function isRowFree(port: number): Promise<boolean> {
  const steps = Array.from({ length: rowLength }, (_, step) => isFree(port + step))
  return (await Promise.all(steps)).every(Boolean)
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
