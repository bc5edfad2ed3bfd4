/**
 * The picture worker: decodes and resizes pictures that others made (law S1). Requests come in on standard input,
 * pictures go out on standard output; when the input ends, so does the process.
 */
import { open } from 'node:fs/promises'
import sharp, { type Sharp } from 'sharp'
import { largestPicture } from '../../../protocol/facts/sizes.ts'
import { frameParts, readFrames } from '../../child/frames.ts'
import type { PictureJob } from './job.ts'

/** A decoded picture has at most this many pixels; beyond it lie only attempts to exhaust our memory. */
const limitInputPixels = 100_000_000
const formats = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif'])
const seconds = 10

sharp.cache(false)
sharp.concurrency(1)

for await (const { header, body } of readFrames(process.stdin, 2 * largestPicture)) {
  const job: PictureJob = JSON.parse(header)
  void answer(job, body)
}

async function answer(job: PictureJob, body: Buffer): Promise<void> {
  try {
    reply({ id: job.id, ok: true }, await work(job, body))
  } catch (error) {
    reply(
      { id: job.id, ok: false, detail: error instanceof Error ? error.message.slice(0, 500) : '' },
      new Uint8Array(),
    )
  }
}

function reply(header: object, body: Uint8Array): void {
  for (const part of frameParts(header, body)) process.stdout.write(part)
}

async function work(job: PictureJob, body: Buffer): Promise<Buffer> {
  if (job.kind === 'draw') return await encode(sharp(body).resize(job.size, job.size), job)
  if (job.kind === 'mosaic') return await encode(await mosaic(job, body), job)
  const bytes = job.path === undefined ? body : await readPicture(Buffer.from(job.path, 'base64'))
  const picture = sharp(bytes, { limitInputPixels, failOn: 'error' })
  const { format } = await picture.metadata()
  if (!formats.has(format)) throw new Error(`a picture of the kind ${format} is not shown`)
  const { size } = job
  return await encode(
    picture.autoOrient().resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true }),
    job,
  )
}

/** Colours become sRGB, and everything that is not the picture (places, names, thumbnails) stays behind. */
function encode(picture: Sharp, { format }: { format: PictureJob['format'] }): Promise<Buffer> {
  const timed = picture.toColourspace('srgb').timeout({ seconds })
  if (format === 'webp') return timed.webp({ quality: 82, effort: 2 }).toBuffer()
  return timed.flatten({ background: '#ffffff' }).jpeg({ quality: 84 }).toBuffer()
}

/** Four squares, cut from the middle of each picture. */
async function mosaic(job: Extract<PictureJob, { kind: 'mosaic' }>, body: Buffer): Promise<Sharp> {
  const half = job.size / 2
  let offset = 0
  const tiles = job.lengths.map(async (length, index) => {
    const tile = sharp(body.subarray(offset, offset + length), { limitInputPixels, failOn: 'error' })
    offset += length
    const input = await tile.resize(half, half, { fit: 'cover' }).timeout({ seconds }).png().toBuffer()
    return { input, left: (index % 2) * half, top: Math.floor(index / 2) * half }
  })
  const canvas = sharp({ create: { width: job.size, height: job.size, channels: 3, background: '#000000' } })
  return canvas.composite(await Promise.all(tiles))
}

async function readPicture(path: Buffer): Promise<Buffer> {
  await using file = await open(path, 'r')
  const stats = await file.stat()
  if (!stats.isFile()) throw new Error('it is not a file')
  if (stats.size > largestPicture) throw new Error(`it has ${stats.size} bytes`)
  return await file.readFile()
}
