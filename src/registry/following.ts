import { CodedError, isCoded } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import type { Incoming } from './attempt.ts'
import type { Circuits } from './circuit.ts'
import { afterSilence } from './patience.ts'

/** Most bytes of an answer that is read whole. */
const answerBytes = 16 * 1_048_576

interface Following {
  readonly stallMs: number
  readonly signal: AbortSignal | undefined
  readonly circuits: Circuits
  readonly incarnation: Id
}

/** The bytes of an answer. The time counts only while someone waits: a listener may be as slow as they like. */
export async function* follow(
  answer: Incoming,
  { stallMs, signal, circuits, incarnation }: Following,
): AsyncGenerator<Uint8Array, undefined> {
  const aborted = () => answer.destroy(new Error('aborted'))
  signal?.addEventListener('abort', aborted)
  const chunks = answer.pieces()
  try {
    signal?.throwIfAborted()
    for (;;) {
      const since = performance.now()
      const heard = afterSilence(stallMs, () => {
        // It holds its connection, and says nothing: others need not find that out too. One that breaks off is heard of
        // at once by whoever asks it next, and may have broken off this answer only.
        circuits.silent(incarnation, since)
        answer.destroy(new Error(`no byte in ${stallMs} ms`))
      })
      const next = await chunks.next().finally(heard)
      if (next.done === true) break
      circuits.heard(incarnation)
      yield next.value
    }
    if (!answer.isComplete()) throw new Error('it broke off')
  } catch (error) {
    signal?.throwIfAborted()
    if (isCoded(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new CodedError('UNREACHABLE', reason, { cause: error })
  } finally {
    signal?.removeEventListener('abort', aborted)
    answer.destroy()
  }
}

/** All of it as text. UNREACHABLE where it is too long to be the answer of a node. */
export async function readWhole(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > answerBytes) throw new CodedError('UNREACHABLE', 'the answer is too long')
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Undefined where it is none: whatever expects an answer finds that it does not fit. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
