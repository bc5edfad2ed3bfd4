import { decodeFeed } from './decode.ts'
import type { Answer, Question } from './messages.ts'
import { parseFeed } from './parse.ts'

/** The process in which one feed is read: it may crash, and may write nothing and start nothing (law S1). */
const atOnce = 50

process.on('message', (question: Question) => void answerTo(question))
process.on('disconnect', () => process.exit())

async function answerTo({ base, charset }: Question): Promise<void> {
  try {
    const bytes = Buffer.concat(await Array.fromAsync(process.stdin, (piece) => Buffer.from(piece)))
    const feed = parseFeed(decodeFeed(bytes, charset), base)
    if (feed === null) return send({ kind: 'none', detail: 'it is neither RSS nor Atom' })
    send({ kind: 'head', head: feed.head })
    for (let at = 0; at < feed.items.length; at += atOnce)
      send({ kind: 'items', items: feed.items.slice(at, at + atOnce) })
    send({ kind: 'end' })
  } catch (error) {
    send({ kind: 'none', detail: String(error).slice(0, 500) })
  }
}

function send(answer: Answer): void {
  process.send?.(answer)
}
