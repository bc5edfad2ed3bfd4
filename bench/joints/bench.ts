/** How long is the silence between two songs in the web player? See README.md. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { visit } from '../../test/browser/visit.ts'
import { openBrowser } from '../../test/harness/browser.ts'
import type { Client } from '../../test/harness/client.ts'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { startNode, type TestNode } from '../../test/harness/node.ts'
import { scanned } from '../../test/harness/scan.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { machine, quantile } from '../streaming/machine.ts'
import { playNaively, recordVoices, silences } from './record.ts'

const { values } = parseArgs({ options: { tracks: { type: 'string', default: '9' } } })
const count = Number(values.tracks)
const seconds = 4

const formats = {
  flac: ['-c:a', 'flac'],
  ogg: ['-c:a', 'libvorbis', '-q:a', '5'],
  opus: ['-c:a', 'libopus', '-b:a', '128k'],
  mp3: ['-c:a', 'libmp3lame', '-b:a', '192k'],
} as const

await using music = await temporaryFolder('joints')
for (const [format, codec] of Object.entries(formats))
  await makeAlbum(join(music.path, format), format, codec)
await using node = await startNode({ music: [music.path] })
await using browser = await openBrowser()
const ada = await node.administrator()
await scanned(ada)

const answers = []
for (const format of Object.keys(formats)) {
  const player = await measure(browser, node, ada, format, playAlbum)
  const naive = await measure(browser, node, ada, format, playNaively)
  answers.push({ format, ...shown('player', player), ...shown('one element', naive) })
}
console.table(answers)
const answer = { at: new Date().toISOString(), machine: machine(), load: loadavg(), count, seconds, answers }
await writeFile(join(import.meta.dirname, 'answer.json'), `${JSON.stringify(answer, null, 2)}\n`)

/** Songs of one tone each, by turns on the left and on the right, so that the end of one and the start of the next are told apart. */
async function makeAlbum(folder: string, format: string, codec: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let track = 1; track <= count; track++) {
    const side = track % 2 === 1 ? 'pan=stereo|c0=c0|c1=0*c0' : 'pan=stereo|c0=0*c0|c1=c0'
    const tone = `sine=frequency=${440 + track}:sample_rate=48000:duration=${seconds},volume=6,${side}`
    const tags = {
      title: `${format} ${track}`,
      album: `Joints ${format}`,
      artist: 'Tone',
      track: String(track),
    }
    execFileSync('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', tone, ...codec],
      ...Object.entries(tags).flatMap(([name, value]) => ['-metadata', `${name}=${value}`]),
      join(folder, `${String(track).padStart(2, '0')}.${format}`),
    ])
  }
}

type Play = (page: Page, format: string) => Promise<void>

async function playAlbum(page: Page, format: string): Promise<void> {
  await page.goto('/albums')
  await page
    .getByRole('link', { name: `Joints ${format}` })
    .first()
    .click()
  await page.locator('main').getByRole('button', { name: 'Play', exact: true }).click()
}

/** Milliseconds of silence at each joint; below zero the songs overlap. */
async function measure(browser: Browser, node: TestNode, ada: Client, format: string, play: Play) {
  await ada.call('PUT', '/api/queue', { tracks: [], positionMs: 0 })
  await using visiting = await visit(browser, { baseUrl: node.baseUrl, token: ada.token })
  const { page } = visiting
  await page.addInitScript(recordVoices)
  await play(page, format)
  const heard = await waitFor(
    async () => {
      const joints = await silences(page)
      return joints.length >= count - 1 ? joints : undefined
    },
    { what: `${count - 1} joints`, deadline: (count * seconds + 60) * 1_000 },
  )
  return heard.slice(0, count - 1)
}

function shown(name: string, joints: readonly number[]): Record<string, number> {
  const round = (value: number) => Math.round(value * 10) / 10
  return {
    [`${name}: shortest`]: round(Math.min(...joints)),
    [`${name}: median`]: round(quantile(joints, 0.5)),
    [`${name}: longest`]: round(Math.max(...joints)),
  }
}
