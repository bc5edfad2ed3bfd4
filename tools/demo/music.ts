import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Song, songs } from './song.ts'

/** Writes the songs of the demonstration into `folder` as tagged WAV files, which every browser plays. */
export async function writeMusic(folder: string, seconds: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const song of songs(seconds)) {
    await writeFile(join(folder, `${song.track} ${song.title}.wav`), wav(song))
  }
}

/** RIFF with 16-bit samples, and an `id3 ` chunk for the tags, as taggers write it. */
function wav(song: Song): Buffer {
  const { samples, sampleRate } = song
  const data = Buffer.alloc(samples.length * 2)
  for (const [at, sample] of samples.entries()) {
    data.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), at * 2)
  }
  const format = Buffer.alloc(16)
  format.writeUInt16LE(1, 0)
  format.writeUInt16LE(2, 2)
  format.writeUInt32LE(sampleRate, 4)
  format.writeUInt32LE(sampleRate * 4, 8)
  format.writeUInt16LE(4, 12)
  format.writeUInt16LE(16, 14)
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    chunk('fmt ', format),
    chunk('id3 ', tagOf(song)),
    chunk('data', data),
  ])
  return chunk('RIFF', body)
}

function chunk(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(name, 'latin1')
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)])
}

function tagOf({ title, album, artist, track }: Song): Buffer {
  const texts = { TIT2: title, TALB: album, TPE1: artist, TPE2: artist, TRCK: String(track), TCON: 'Ambient' }
  const frames = Object.entries(texts).map(([name, text]) => {
    const content = Buffer.from(`\u0003${text}`, 'utf8')
    const head = Buffer.alloc(10)
    head.write(name, 'latin1')
    head.writeUInt32BE(content.length, 4)
    return Buffer.concat([head, content])
  })
  const body = Buffer.concat(frames)
  const size = body.length
  // ID3v2.4: the length in four bytes of seven bits each; these frames are shorter than 128 bytes, so theirs fits as it is.
  const head = Buffer.from([
    0x49,
    0x44,
    0x33,
    4,
    0,
    0,
    size >> 21,
    (size >> 14) & 127,
    (size >> 7) & 127,
    size & 127,
  ])
  return Buffer.concat([head, body])
}
