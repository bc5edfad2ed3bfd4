import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Answers } from './ask.ts'
import type { Aways } from './away.ts'
import type { Built } from './build.ts'
import type { Memory } from './memory.ts'

/** How fast does a catalog of a million tracks answer, and what does it cost? See README.md. */
const { values } = parseArgs({
  options: {
    tracks: { type: 'string', multiple: true, default: ['50000', '1000000'] },
    folder: { type: 'string' },
  },
})

const answers = []
for (const tracks of values.tracks) {
  // With --folder the store and the index stay there, and are taken as they are the next time.
  const folder = values.folder ? join(values.folder, tracks) : await mkdtemp(join(tmpdir(), 'hocket-bench-'))
  try {
    const step = (name: string) => runStep(name, folder, tracks)
    step('fill.ts')
    const built: Built = JSON.parse(step('build.ts'))
    const away: Aways = JSON.parse(step('away.ts'))
    const asked: Answers = JSON.parse(step('ask.ts'))
    const node: Memory = JSON.parse(step('memory.ts'))
    console.table(built)
    console.table(away)
    console.table({
      'ready after the start, ms (goal 2,000)': asked.readyMs,
      'memory when ready, MB': asked.megabytes.ready,
      'memory after all of this, MB': asked.megabytes.afterAll,
    })
    console.table(node)
    console.table(asked.pages)
    console.table(asked.search)
    console.table(asked.baselines)
    answers.push({ tracks: Number(tracks), built, away, node, ...asked })
  } finally {
    if (!values.folder) await rm(folder, { recursive: true, force: true })
  }
}

const answer = {
  question: 'catalog',
  at: new Date().toISOString(),
  machine: {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memory: totalmem(),
    node: process.version,
    load: loadavg(),
  },
  goals: {
    searchP50: 5,
    searchP99: 25,
    pageMs: 20,
    readyMs: 2_000,
    tracksPerSecond: 10_000,
    awayMs: 1_000,
    megabytes: { 50000: 160, 1000000: 600 },
  },
  answers,
}
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** Each step is a process of its own, so that what it needs in memory is its own. */
function runStep(name: string, folder: string, tracks: string): string {
  return execFileSync(process.execPath, [join(import.meta.dirname, name), folder, tracks], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 16 * 1_048_576,
    // As `npm start` does: with it no thread has to load what strips the types.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'hocket-bench-compile-cache'), ...process.env },
  })
}
