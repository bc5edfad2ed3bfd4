/**
 * Plays tracks chosen at random, range after range, over kept-alive connections for a while, and prints what came as JSON. A process of its own,
 * so that its work is not counted as the server's. Arguments: port, connections, bytes in a range, seconds, and a JSON
 * list of { path, size }.
 */
import { connect } from 'node:net'

const [port = '', connections = '', rangeBytes = '', seconds = '', targetsText = '[]', token = ''] =
  process.argv.slice(2)
const targets: readonly { path: string; size: number }[] = JSON.parse(targetsText)
const length = Number(rangeBytes)
const deadline = performance.now() + Number(seconds) * 1_000
let bytes = 0
let requests = 0
let failures = 0

async function listen(): Promise<void> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let missing = 0
  let target = targets[Math.floor(Math.random() * targets.length)]
  let position = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const ask = (): void => {
    if (target !== undefined && position + length > target.size) {
      target = targets[Math.floor(Math.random() * targets.length)]
      position = 0
    }
    if (performance.now() > deadline || target === undefined) return void socket.end(() => resolve())
    const start = position
    const end = start + length - 1
    position += length
    socket.write(
      `GET ${target.path} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=${start}-${end}\r\n${
        token === '' ? '' : `Authorization: Bearer ${token}\r\n`
      }\r\n`,
    )
  }
  socket.on('data', (chunk) => {
    if (missing === 0) {
      const headerEnd = chunk.indexOf('\r\n\r\n')
      const header = chunk.toString('latin1', 0, headerEnd)
      if (!header.startsWith('HTTP/1.1 206')) failures += 1
      const size = Number(/content-length: (\d+)/i.exec(header)?.[1])
      missing = size - (chunk.length - headerEnd - 4)
      bytes += size
      requests += 1
    } else missing -= chunk.length
    if (missing === 0) ask()
  })
  socket.on('error', () => resolve())
  ask()
  await promise
}

const begin = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, listen))
process.stdout.write(
  JSON.stringify({ bytes, requests, failures, seconds: (performance.now() - begin) / 1_000 }),
)
process.exit(0)
