import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Presets, SingleBar } from 'cli-progress'

/** How a command talks with whoever runs it. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** A line of the result. */
  print(line: string): void
  /** A line for a person. */
  note(line: string): void
  /** Whether a person sits there. */
  readonly interactive: boolean
  /** How far something long has come: a bar on a terminal, now and then a line elsewhere. */
  progress(title: string, unit: Unit): Progress
  /** A secret: typed unseen on a terminal, else the first line of standard input. */
  secret(question: string, signal: AbortSignal): Promise<string>
}

export interface Progress extends Disposable {
  /** `total` 0: not known yet. */
  update(done: number, total: number): void
}

/** What is counted, in the form that a person reads. */
export type Unit = (amount: number) => string

export const files: Unit = (amount) => `${amount.toLocaleString('en')} files`
export const bytes: Unit = (amount) => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, amount)) / 10))
  return `${(amount / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

interface Streams {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream
  readonly errors: NodeJS.WriteStream
}

export function createTerminal({ input, output, errors }: Streams): Terminal {
  const interactive = errors.isTTY === true
  return {
    print: (line) => void output.write(`${line}\n`),
    note: (line) => void errors.write(`${line}\n`),
    interactive,
    progress: (title, unit) => (interactive ? bar(errors, title, unit) : lines(errors, title, unit)),
    secret: (question, signal) => askSecret(input, errors, question, signal),
  }
}

function bar(stream: NodeJS.WriteStream, title: string, unit: Unit): Progress {
  const shown = new SingleBar(
    {
      stream,
      format: `${title} {bar} {what}, {duration_formatted}`,
      hideCursor: true,
      clearOnComplete: false,
      fps: 10,
    },
    Presets.shades_classic,
  )
  shown.start(1, 0, { what: unit(0) })
  return {
    update(done, total) {
      if (total > 0) shown.setTotal(total)
      shown.update(total > 0 ? done : 0, { what: total > 0 ? `${unit(done)} of ${unit(total)}` : unit(done) })
    },
    [Symbol.dispose]: () => shown.stop(),
  }
}

const quietMs = 5_000

function lines(stream: NodeJS.WriteStream, title: string, unit: Unit): Progress {
  let toldAt = performance.now()
  return {
    update(done, total) {
      if (performance.now() - toldAt < quietMs) return
      toldAt = performance.now()
      stream.write(`${title}: ${unit(done)}${total > 0 ? ` of ${unit(total)}` : ''}\n`)
    },
    [Symbol.dispose]: () => {},
  }
}

async function askSecret(
  input: NodeJS.ReadStream,
  errors: NodeJS.WriteStream,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  if (!input.isTTY) {
    for await (const line of createInterface({ input, signal })) return line
    return ''
  }
  errors.write(question)
  // What is typed must not be seen: the interface echoes into nothing.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const asking = createInterface({ input, output: unseen, terminal: true })
  try {
    return await asking.question('', { signal })
  } finally {
    asking.close()
    errors.write('\n')
  }
}
