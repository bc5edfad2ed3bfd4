import { createRandom } from '../../test/harness/random.ts'

/**
 * Music of our own, so that the demonstration needs nobody's licence: little hockets, in which one melody is shared
 * between three voices, and where one rests another sounds. What is composed is dedicated to the public domain (CC0).
 */
export interface Song {
  readonly title: string
  readonly album: string
  readonly artist: string
  readonly track: number
  /** Interleaved stereo samples between -1 and 1. */
  readonly samples: Float32Array
  readonly sampleRate: number
}

const sampleRate = 32_000
const titles = [
  'In Three Rooms',
  'The Cellar Rests',
  'One Is Asleep',
  'Handed Over',
  'Nobody Noticed',
  'Return',
]
/** Steps of the scales in semitones: dorian, major pentatonic, aeolian. */
const scales = [
  [0, 2, 3, 5, 7, 9, 10],
  [0, 2, 4, 7, 9],
  [0, 2, 3, 5, 7, 8, 10],
] as const
const progressions = [
  [0, 3, 4, 0],
  [0, 4, 2, 3],
  [0, 2, 4, 3],
] as const

/** The songs of the demonstration, each `seconds` long; the same ones each time. */
export function* songs(seconds: number): Generator<Song> {
  for (const [at, title] of titles.entries()) {
    yield {
      title,
      album: 'Hockets for Three Machines',
      artist: 'Hocket',
      track: at + 1,
      samples: compose(at + 1, seconds),
      sampleRate,
    }
  }
}

interface Note {
  readonly start: number
  readonly hertz: number
  readonly seconds: number
  readonly loudness: number
  /** From -1 (left) to 1 (right). */
  readonly side: number
  /** How much of its second and third partials a note has. */
  readonly colour: readonly [number, number]
}

/** Three voices, each with its place and colour. */
const voices = [
  { side: -0.6, colour: [0.1, 0.3] },
  { side: 0, colour: [0.4, 0.05] },
  { side: 0.6, colour: [0.2, 0.15] },
] as const

function compose(seed: number, seconds: number): Float32Array {
  const random = createRandom(seed)
  const scale = scales[seed % scales.length] ?? scales[0]
  const progression = progressions[seed % progressions.length] ?? progressions[0]
  const beat = 60 / (84 + 8 * (seed % 5)) / 2
  const root = 50 + (seed % 7)
  const samples = new Float32Array(Math.floor(seconds * sampleRate) * 2)
  const pitch = (degree: number) => {
    const octave = Math.floor(degree / scale.length)
    const step = scale[((degree % scale.length) + scale.length) % scale.length] ?? 0
    return 440 * 2 ** ((root + 12 * octave + step - 69) / 12)
  }
  let degree: number = scale.length
  for (let step = 0; step * beat < seconds - 2; step++) {
    const chord = progression[Math.floor(step / 16) % progression.length] ?? 0
    const start = step * beat
    if (step % 8 === 0) {
      const low = { loudness: 0.3, side: 0, colour: [0.5, 0.2] as const }
      add(samples, { start, hertz: pitch(chord - scale.length), seconds: beat * 8, ...low })
    }
    degree = Math.min(16, Math.max(4, degree + Math.floor(random() * 5) - 2))
    if (step % 4 === 0) degree = chord + scale.length + (step % 8 === 0 ? 0 : 2)
    if (random() < 0.12) continue
    const voice = voices[step % 3] ?? voices[0]
    add(samples, { start, hertz: pitch(degree), seconds: beat * 2.2, loudness: 0.34, ...voice })
  }
  return samples
}

/** Mixes a plucked note in. */
function add(samples: Float32Array, { start, hertz, seconds, loudness, side, colour }: Note): void {
  const first = Math.floor(start * sampleRate)
  const length = Math.min(Math.floor(seconds * sampleRate), samples.length / 2 - first)
  const turn = (2 * Math.PI * hertz) / sampleRate
  const left = loudness * Math.sqrt((1 - side) / 2)
  const right = loudness * Math.sqrt((1 + side) / 2)
  for (let at = 0; at < length; at++) {
    const attack = Math.min(1, at / (0.008 * sampleRate))
    const end = Math.min(1, (length - at) / (0.05 * sampleRate))
    const decay = Math.exp((-3.5 * at) / length)
    const angle = turn * at
    const wave = Math.sin(angle) + colour[0] * Math.sin(2 * angle) + colour[1] * Math.sin(3 * angle)
    const value = wave * attack * end * decay
    const index = (first + at) * 2
    samples[index] = (samples[index] ?? 0) + value * left
    samples[index + 1] = (samples[index + 1] ?? 0) + value * right
  }
}
