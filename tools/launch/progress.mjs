// @ts-check

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/**
 * Does `work` while telling the person at standard error what is being done and for how long: a line that turns on a
 * terminal, plain lines elsewhere (the first, one each 15 s, and the last).
 * @template T
 * @param {string} title what is being done: "Installing packages"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const stream = process.stderr
  const startedAt = Date.now()
  const seconds = () => ((Date.now() - startedAt) / 1_000).toFixed(0)
  let frame = 0
  /** @type {NodeJS.Timeout} */
  let timer
  if (stream.isTTY) {
    timer = setInterval(() => {
      frame = (frame + 1) % frames.length
      stream.write(`\r\x1b[K${frames[frame]} ${title} … ${seconds()} s`)
    }, 100)
  } else {
    stream.write(`${title} …\n`)
    timer = setInterval(() => stream.write(`${title} … ${seconds()} s\n`), 15_000)
  }
  const end = (/** @type {string} */ mark) => {
    clearInterval(timer)
    const line = `${mark} ${title} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)\n`
    stream.write(stream.isTTY ? `\r\x1b[K${line}` : line)
  }
  try {
    const result = await work()
    end('✓')
    return result
  } catch (error) {
    end('✗')
    throw error
  }
}
