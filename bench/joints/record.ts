import type { Page } from 'playwright-core'
import { z } from 'zod'

/**
 * Runs in the page before its own scripts: every audio element is heard through one recorder, which notes when sound
 * begins and ends on the left and on the right, in milliseconds of the audio clock (exact to a sample).
 */
export function recordVoices() {
  const loud = 0.02
  /** A tone crosses zero now and then; silence is longer. */
  const silentForSamples = 96
  const notes: { side: number; from: number; to: number }[] = []
  Reflect.set(window, 'heardNotes', notes)
  const RealAudio = window.Audio
  let recorder: ScriptProcessorNode | undefined
  const start = () => {
    const context = new AudioContext({ sampleRate: 48_000 })
    const processor = context.createScriptProcessor(1_024, 2, 2)
    const open: ({ side: number; from: number; to: number } | undefined)[] = [undefined, undefined]
    let sample = 0
    processor.onaudioprocess = ({ inputBuffer }) => {
      for (const side of [0, 1]) {
        inputBuffer.getChannelData(side).forEach((value, index) => {
          if (Math.abs(value) < loud) return
          const at = sample + index
          const note = open[side]
          if (note !== undefined && at - note.to <= silentForSamples) note.to = at
          else {
            const begun = { side, from: at, to: at }
            open[side] = begun
            notes.push(begun)
          }
        })
      }
      sample += inputBuffer.length
    }
    processor.connect(context.destination)
    return processor
  }
  Reflect.set(window, 'Audio', function Audio() {
    const element = new RealAudio()
    element.crossOrigin = 'anonymous'
    recorder ??= start()
    const { context } = recorder
    if (context instanceof AudioContext) context.createMediaElementSource(element).connect(recorder)
    return element
  })
}

const notes = z.array(z.object({ side: z.number(), from: z.number(), to: z.number() }))

/** Milliseconds from the end of each song that has been heard to the start of the next. */
export async function silences(page: Page): Promise<number[]> {
  const heard = notes.parse(await page.evaluate(() => Reflect.get(window, 'heardNotes') ?? []))
  // A crackle at a start is no song.
  const songs = heard.filter(({ from, to }) => to - from > 24_000).toSorted((a, b) => a.from - b.from)
  const turns = songs.filter((song, index) => index === 0 || song.side !== songs[index - 1]?.side)
  return turns.slice(1).map((song, index) => (song.from - (turns[index]?.to ?? 0)) / 48)
}

/** The plain way, for comparison: one element, which is given the next address when it has ended. */
export async function playNaively(page: Page, format: string): Promise<void> {
  await page.goto('/playlists')
  await page.evaluate(async (album) => {
    const answer = await fetch(
      `/api/search?q=${encodeURIComponent(`Joints ${album}`)}&albums=1&tracks=0&artists=0`,
    )
    const { albums } = await answer.json()
    const { tracks } = await (await fetch(`/api/albums/${albums[0].id}`)).json()
    const audio = new Audio()
    let at = 0
    const next = () => {
      const track = tracks[at++]
      if (track === undefined) return
      audio.src = `/api/tracks/${track.id}/audio?v=${track.version}`
      void audio.play()
    }
    audio.addEventListener('ended', next)
    next()
  }, format)
}
