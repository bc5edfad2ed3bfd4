import { hash } from 'node:crypto'
import type { AlbumPart, Credit, Track } from '../../src/protocol/facts/catalog.ts'
import type { Id } from '../../src/protocol/ids.ts'

/**
 * A made-up catalog that is shaped like a large real one: a few artists have very many albums and most have one (Zipf),
 * a few words stand in very many titles, genres and years are uneven, and some names are not Latin. The same seed makes
 * the same catalog.
 */
export interface Generator {
  /** Albums until there are `tracks` tracks. */
  albums(tracks: number): Iterable<AlbumPart>
  /** What someone might type: words of titles, albums and artists that exist. */
  phrase(): string
  random(): number
}

export const library = '00000000-0000-4000-8000-000000000001'

const common =
  `the of and in you me love to my on i a is for it your all we be with night no this time heart live go day one do
  like world don't up little life what never baby man out blue way dance if down home from song good let dream star
  black light girl back fire so rock new can she sun over rain are at now moon sweet come young dead long white last
  old red soul sky mind first who gone remix blues how big high run lost eyes again water here wild days lonely city
  road summer by lord free soon war king golden crazy away got edit take dark hard version street train people happy
  lady feel only river say there two house party music money magic winter devil angel better tonight stay walk boy
  mountain piano sonata symphony minor major concerto overture suite allegro andante adagio prelude live`.split(
    /\s+/,
  )
const genres =
  `Rock Pop Jazz Classical Electronic Folk Metal Hip-Hop Blues Country Reggae Soul Ambient Techno House Punk
  Indie Soundtrack R&B Latin Funk Disco Gospel World Trance Dub Industrial Ska Grunge Shoegaze`.split(/\s+/)
const scripts = [
  '東京',
  '事変',
  '椎名',
  '林檎',
  '夜に駆ける',
  'Кино',
  'Звезда',
  'Любовь',
  'Σταρ',
  'Björk',
  'Sigur Rós',
  '사랑',
  'Ñandú',
]
const onsets = 'b br c ch cl d dr f fl g gr h j k kr l m n p pr qu r s sh sl st t th tr v w y z'.split(' ')
const nuclei = 'a e i o u ai ea ie oo ou y'.split(' ')
const codas = ['', '', '', 'n', 'r', 's', 'l', 't', 'm', 'nd', 'st', 'ck', 'ng']

export function openGenerator(seed: number): Generator {
  const random = openRandom(seed)
  const pick = <T>(list: readonly T[]): T => {
    const item = list[Math.floor(random() * list.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }
  /** Small numbers often, large ones seldom. */
  const zipf = (size: number) => Math.floor(size ** random()) - 1
  const syllable = () => pick(onsets) + pick(nuclei) + pick(codas)
  const word = () => Array.from({ length: 1 + Math.floor(random() * 3) }, syllable).join('')
  const vocabulary = [...common, ...Array.from({ length: 60_000 }, word)]
  const surnames = Array.from({ length: 40_000 }, word)
  const subgenres = [...genres, ...Array.from({ length: 300 }, () => `${word()} ${pick(genres)}`)]
  const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
  const words = (from: readonly string[], most: number) =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => from[Math.max(0, zipf(from.length))] ?? '')
      .map(capital)
      .join(' ')
  const guid = (name: string): Id => {
    const hex = hash('sha1', `${seed} ${name}`)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  const names = new Map<number, Credit>()
  function artist(rank: number): Credit {
    const known = names.get(rank)
    if (known !== undefined) return known
    const name = [
      random() < 0.2 ? 'The ' : '',
      random() < 0.02 ? pick(scripts) : '',
      words(surnames, 2),
    ].join('')
    const made = { name, ...(random() < 0.4 ? { musicBrainzId: guid(`artist ${rank}`) } : {}) }
    names.set(rank, made)
    return made
  }

  const title = () => (random() < 0.02 ? `${pick(scripts)} ${words(vocabulary, 2)}` : words(vocabulary, 5))

  function* albums(tracks: number): Iterable<AlbumPart> {
    const artists = Math.max(10, Math.round(tracks / 15))
    for (let made = 0, number = 0; made < tracks; number += 1) {
      const size = Math.min(tracks - made, 1 + Math.floor(random() * 20))
      yield album(number, artist(Math.max(0, zipf(artists))), size)
      made += size
    }
  }

  function album(number: number, by: Credit, size: number): AlbumPart {
    const name = words(vocabulary, 4)
    const year = 2026 - Math.floor(70 * random() ** 2)
    const own = [
      ...new Set([
        pick(subgenres.slice(0, 1 + zipf(subgenres.length))),
        ...(random() < 0.3 ? [pick(genres)] : []),
      ]),
    ]
    const addedAt = 1_600_000_000_000 + number * 60_000
    const id = guid(`album ${number}`)
    const release = guid(`release ${number}`)
    const tracks = Array.from({ length: size }, (_, at): Track => {
      const fingerprint = hash('sha1', `${seed} ${number} ${at}`).slice(0, 32)
      const featured = random() < 0.08 ? [by, artist(Math.max(0, zipf(artistsNow())))] : [by]
      return {
        id: guid(`track ${number} ${at}`),
        tags: {
          title: title(),
          artists: featured,
          albumArtists: [by],
          album: name,
          disc: 1,
          track: at + 1,
          trackTotal: size,
          date: `${year}`,
          genres: own,
          moods: [],
          composers: random() < 0.2 ? [by] : [],
          contributors: [],
          labels: [],
          works: [],
          releaseTypes: ['album'],
          compilation: false,
          isrcs: [],
          musicBrainz: by.musicBrainzId === undefined ? {} : { release },
          embeddedLyrics: false,
          embeddedCover: random() < 0.7,
        },
        audio: {
          codec: 'flac',
          mediaType: 'audio/flac',
          suffix: 'flac',
          durationMs: 120_000 + Math.floor(random() * 240_000),
          bitrate: 700 + Math.floor(random() * 300),
          sampleRate: 44_100,
          channels: 2,
          bitDepth: 16,
        },
        size: 10_000_000 + Math.floor(random() * 30_000_000),
        fingerprint,
        blob: fingerprint + fingerprint.slice(0, 32),
        files: [
          {
            library,
            path: `${by.name}/${name} (${year})/${String(at + 1).padStart(2, '0')} ${fingerprint.slice(0, 12)}.flac`,
            modifiedAt: addedAt,
            ...(random() < 0.5 ? { coverFile: 'cover.jpg' } : {}),
          },
        ],
        addedAt: addedAt + at,
        updatedAt: addedAt + at,
      }
    })
    return { album: id, tracks }
  }

  const artistsNow = () => Math.max(10, names.size)

  return {
    albums,
    phrase: () => (random() < 0.3 ? artist(Math.max(0, zipf(artistsNow()))).name : title()),
    random,
  }
}

/** mulberry32: small, fast, and the same on every machine. */
function openRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
