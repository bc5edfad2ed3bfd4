import { connect, createServer, type Socket } from 'node:net'
import { z } from 'zod'

/**
 * A program that `network.ts` runs in its router: what is led to one of its ports is handed to the host that it was meant
 * for, each piece as much later as it is told, in either direction. It ends when who started it does.
 */
const message = z.union([
  z.object({ delay: z.number().nonnegative() }),
  z.object({
    host: z.object({
      address: z.string(),
      standIn: z.string(),
      ports: z.array(z.object({ port: z.number(), listen: z.number() })),
    }),
  }),
])

/** Bytes that may be on their way in one direction. */
const mostUnderWay = 1_048_576

let delay = 0
const standIns = new Map<string, string>()
const sockets = new Set<Socket>()

process.on('disconnect', () => process.exit())
process.on('message', async (raw) => {
  const told = message.parse(raw)
  if ('delay' in told) {
    delay = told.delay
    for (const socket of sockets) socket.resetAndDestroy()
  } else {
    const { address, standIn, ports } = told.host
    standIns.set(address, standIn)
    await Promise.all(ports.map(({ port, listen }) => serve(listen, address, port)))
  }
  process.send?.('done')
})
process.send?.('ready')

function serve(listen: number, host: string, port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (from) => {
    const localAddress = standIns.get(from.remoteAddress?.replace('::ffff:', '') ?? '')
    const to = connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      ...(localAddress && { localAddress }),
    })
    join(from, to)
    join(to, from)
  })
  return new Promise((resolve) => server.listen(listen, () => resolve()))
}

function join(from: Socket, to: Socket): void {
  let underWay = 0
  sockets.add(from)
  from.on('data', (bytes: Buffer) => {
    underWay += bytes.length
    if (underWay > mostUnderWay) from.pause()
    setTimeout(() => {
      if (!to.destroyed) to.write(bytes)
      underWay -= bytes.length
      from.resume()
    }, delay)
  })
  from.on('end', () => setTimeout(() => to.end(), delay))
  from.on('error', () => setTimeout(() => to.resetAndDestroy(), delay))
  from.on('close', () => {
    sockets.delete(from)
    setTimeout(() => to.destroy(), delay)
  })
}
