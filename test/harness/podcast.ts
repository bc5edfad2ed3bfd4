import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { listen } from './listen.ts'

/** A server of feeds, sound and pictures, on this machine only. */
export interface PodcastServer extends AsyncDisposable {
  readonly url: string
  /** What was asked for, in order. */
  readonly asked: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[]
  /** What lies at a path from now on; it is sent as it is. */
  put(path: string, content: Content): void
  /** Ends the connection in the middle of what lies at the path, so many times from now on. */
  cut(path: string, times: number): void
  /** Holds back the second half of what lies at the path, until it is let go. */
  hold(path: string): { readonly letGo: () => void }
}

export interface Content {
  readonly bytes: Buffer | string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

export async function startPodcastServer(): Promise<PodcastServer> {
  const contents = new Map<string, Content>()
  const holds = new Map<string, Promise<void>>()
  const cuts = new Map<string, number>()
  const asked: { path: string; headers: IncomingHttpHeaders }[] = []

  async function answer(path: string, headers: IncomingHttpHeaders, response: ServerResponse): Promise<void> {
    const found = contents.get(path)
    if (found === undefined) return void response.writeHead(404).end()
    const tag = found.headers?.['etag']
    if (tag !== undefined && headers['if-none-match'] === tag) return void response.writeHead(304).end()
    const whole = Buffer.from(found.bytes)
    const from = tag !== undefined && headers['if-range'] === tag ? firstOf(headers.range) : undefined
    const bytes = whole.subarray(from)
    const range = from !== undefined && {
      'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}`,
    }
    const status = range ? 206 : (found.status ?? 200)
    response.writeHead(status, { 'content-length': bytes.length, ...range, ...found.headers })
    const middle = Math.floor(bytes.length / 2)
    response.write(bytes.subarray(0, middle))
    await holds.get(path)
    const cut = cuts.get(path) ?? 0
    cuts.set(path, cut - 1)
    if (cut > 0) setImmediate(() => response.destroy())
    else response.end(bytes.subarray(middle))
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    asked.push({ path, headers: request.headers })
    answer(path, request.headers, response).catch(() => response.destroy())
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    put: (path, content) => void contents.set(path, content),
    cut: (path, times) => void cuts.set(path, times),
    hold(path) {
      const { promise, resolve } = Promise.withResolvers<void>()
      holds.set(path, promise)
      return {
        letGo() {
          holds.delete(path)
          resolve()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Where a range begins, of the only kind that is asked for here. */
function firstOf(range = ''): number | undefined {
  const from = /^bytes=(\d+)-$/.exec(range)?.[1]
  return from === undefined ? undefined : Number(from)
}

/** An item of a feed; `more` is XML that stands beside the rest. */
export function item(guid: string, title: string, enclosure: string, more = ''): string {
  return `<item><guid>${guid}</guid><title>${title}</title>
    <enclosure url="${enclosure}" type="audio/mpeg" length="1"/>${more}</item>`
}

export function feedOf(title: string, items: readonly string[], more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
<channel><title>${title}</title>${more}${items.join('\n')}</channel></rss>`
}
