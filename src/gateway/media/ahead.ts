import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { numberOf } from '../../media/serve/send.ts'

/**
 * Looks at what comes on a connection before Node's parser does, where a listener asks for one range after another on
 * it. ADR 0345 says why no two readers of one connection can disagree about where a request begins.
 */
export interface Ahead {
  /**
   * Looks at what follows this request, which Node has just made of what came on its connection. Answers the request's
   * own text where it is certain which that is.
   */
  follow(response: ServerResponse): string | null
}

/**
 * Whether the request of this text has been answered, or will be. False: nothing has been done, and Node parses it. The
 * text is all that came, and as far as can be told without parsing it is one request without a body.
 */
export type AnswerText = (socket: Socket, text: string) => boolean

/** So many bytes one request may have. */
const longest = 8_192
const headersEnd = Buffer.from('\r\n\r\n')

export function createAhead(answer: AnswerText): Ahead {
  /** What is handed to Node's parser at this moment. */
  let feeding: { readonly socket: Socket; readonly text: string | null; readonly begins: boolean } | null =
    null

  /** `begins`: whether what comes next begins a request, as soon as `response` is sent. */
  function lookAhead(socket: Socket, response: ServerResponse, begins: boolean): void {
    const [parse, ...others] = socket.listeners('data')
    if (!isListener(parse) || others.length > 0) return
    let busy = true
    response.once('close', () => {
      busy = false
    })
    const look = (chunk: Buffer): void => {
      const text = oneRequest(chunk)
      if (begins && !busy && text !== null && answer(socket, text)) return
      // From here on the connection is Node's alone, until the next request of a listener.
      socket.on('data', parse)
      socket.off('data', look)
      feeding = { socket, text, begins: begins && !busy }
      try {
        parse(chunk)
      } finally {
        feeding = null
      }
    }
    socket.on('data', look)
    socket.off('data', parse)
  }

  return {
    follow(response) {
      const { socket } = response
      if (socket === null || numberOf(socket) === null) return null
      const fed = feeding?.socket === socket ? feeding : null
      // Node has made a request without a body of what ends in the only empty line of it: nothing of that is left over.
      lookAhead(socket, response, fed?.text != null)
      return fed?.begins === true ? fed.text : null
    },
  }
}

/** The text of what came where its only empty line is at its end. */
function oneRequest(chunk: Buffer): string | null {
  const isOne = chunk.length <= longest && chunk.indexOf(headersEnd) === chunk.length - headersEnd.length
  return isOne ? chunk.toString('latin1') : null
}

/** What an emitter answers as any function is one that it was given. */
function isListener(listener: unknown): listener is (chunk: Buffer) => void {
  return typeof listener === 'function'
}
