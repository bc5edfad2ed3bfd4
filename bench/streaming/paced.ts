/**
 * Many listeners who each take 320 kbit/s: a range of 256 KiB every 6.55 seconds on a kept connection, evenly spread.
 * Prints what came as JSON. Arguments: port, listeners, seconds, a JSON list of [track id, size], a token.
 */
import { Agent, request } from 'node:http'

const [port = '', count = '', seconds = '', tracksText = '[]', token = ''] = process.argv.slice(2)
const tracks: readonly [id: string, size: number][] = JSON.parse(tracksText)
const rangeBytes = 256 * 1_024
const period = (rangeBytes * 8) / 320
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const end = performance.now() + Number(seconds) * 1_000
const latencies: number[] = []
let bytes = 0
let failures = 0
let late = 0

/** Asks for one range; resolves with its last byte. */
function take(id: string, start: number, size: number): Promise<void> {
  const begin = performance.now()
  return new Promise((resolve) => {
    const range = `bytes=${start}-${Math.min(size, start + rangeBytes) - 1}`
    const headers = { range, authorization: `Bearer ${token}` }
    const asked = request(
      { agent, host: '127.0.0.1', port, path: `/api/tracks/${id}/audio`, headers },
      (response) => {
        latencies.push(performance.now() - begin)
        if (response.statusCode !== 206) failures += 1
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
        response.on('end', resolve)
      },
    )
    asked.on('error', () => {
      failures += 1
      resolve()
    })
    asked.end()
  })
}

async function listen(index: number): Promise<void> {
  let due = performance.now() + (index / Number(count)) * period
  let position = 0
  let [id, size] = tracks[index % tracks.length] ?? ['', 0]
  while (due < end) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    await take(id, position, size)
    position += rangeBytes
    if (position >= size) {
      ;[id, size] = tracks[Math.floor(Math.random() * tracks.length)] ?? ['', 0]
      position = 0
    }
    due += period
    if (performance.now() > due) late += 1
  }
}

await Promise.all(Array.from({ length: Number(count) }, (_, index) => listen(index)))
process.stdout.write(JSON.stringify({ bytes, failures, late, latencies }))
process.exit(0)
