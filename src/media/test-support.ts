import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { isComplete, type Production, type Representation } from './serve/representation.ts'
import type { AudioSource } from './transcode/transcoder.ts'

/** What the tests of this role share. */

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hocket-media-'))
  // Hooks run in the order of their making: whoever uses the folder is closed after this has begun.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** A WAV file of 16 bits whose pitch rises with time: at second s it sounds (s + 1) × 200 Hz. */
export function risingTone(seconds: number, rate = 44_100, channels = 1): Buffer {
  const samples = Math.round(seconds * rate)
  const wav = Buffer.alloc(44 + samples * channels * 2)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(channels, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(rate * channels * 2, 28)
  wav.writeUInt16LE(channels * 2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36, 'latin1')
  wav.writeUInt32LE(samples * channels * 2, 40)
  for (let index = 0; index < samples; index += 1) {
    const time = index / rate
    const value = Math.round(12_000 * Math.sin(2 * Math.PI * (Math.floor(time) + 1) * 200 * time))
    for (let channel = 0; channel < channels; channel += 1) {
      wav.writeInt16LE(value, 44 + (index * channels + channel) * 2)
    }
  }
  return wav
}

/** A source as the catalog would name it; `original` is whatever stands at the path. */
export function sourceOf(path: string | Buffer, durationMs: number, version = String(path)): AudioSource {
  const original: Representation = {
    size: 3,
    etag: '"original"',
    mediaType: 'audio/wav',
    async *open() {
      yield Buffer.from('abc')
    },
    [Symbol.dispose]() {},
  }
  return { path, version, codec: 'pcm', bitrate: 1_411, durationMs, original }
}

export async function writeTone(
  folder: string,
  seconds: number,
  rate?: number,
  channels?: number,
): Promise<string> {
  const path = join(folder, `tone-${seconds}-${rate}-${channels}.wav`)
  await writeFile(path, risingTone(seconds, rate, channels))
  return path
}

/** All bytes, which are then disposed of. */
export async function readWhole(bytes: Representation | Production): Promise<Buffer> {
  using held = bytes
  const chunks: Buffer[] = []
  const signal = new AbortController().signal
  const parts = isComplete(held) ? held.open({ start: 0, end: held.size }, signal) : held.bytes
  for await (const chunk of parts) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
