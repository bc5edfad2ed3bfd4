import type { AlbumDetails } from '../../catalog/index/queries/album-details.ts'
import { dateOf, secondsOf } from './content.ts'
import { coverArt } from './cover-art.ts'
import { list, part, shape, texts } from './shape.ts'
import { artistRef, artistsOf, marked, named, nameless } from './song.ts'

interface ItemDate {
  readonly year: number | undefined
  readonly month: number | undefined
  readonly day: number | undefined
}

const itemDate = shape<ItemDate>({
  year: ({ year }) => year,
  month: ({ month }) => month,
  day: ({ day }) => day,
})

const discTitle = shape<{ readonly disc: number; readonly title: string }>({
  disc: ({ disc }) => disc,
  title: ({ title }) => title,
})

const none: readonly never[] = []

/** Albums as the API's `AlbumID3`, with all that is known of them. */
export const album = shape<AlbumDetails>({
  id: ({ id }) => id,
  name: ({ name }) => name || nameless.album,
  version: ({ says }) => says.version,
  artist: ({ artist }) => artist || nameless.artist,
  artistId: ({ artists }) => artistsOf(artists)[0]?.id,
  coverArt: ({ id, cover }) => coverArt(id, cover),
  songCount: ({ trackCount }) => trackCount,
  duration: ({ durationMs }) => secondsOf(durationMs),
  created: ({ addedAt }) => dateOf(addedAt),
  year: ({ year }) => year,
  genre: ({ genres }) => genres[0],
  ...marked,
  genres: list(named, ({ genres }) => genres),
  artists: list(artistRef, ({ artists }) => artistsOf(artists)),
  displayArtist: ({ artist }) => artist || nameless.artist,
  isCompilation: ({ compilation }) => compilation,
  sortName: ({ says, name }) => says.sortName ?? (name || nameless.album),
  musicBrainzId: ({ says }) => says.musicBrainzId,
  recordLabels: list(named, ({ says }) => says.labels ?? none),
  releaseTypes: texts(({ says }) => says.releaseTypes ?? none),
  moods: texts(({ says }) => says.moods ?? none),
  originalReleaseDate: part(itemDate, ({ says }) => itemDateOf(says.originalDate ?? says.date)),
  releaseDate: part(itemDate, ({ says }) => itemDateOf(says.releaseDate ?? says.date)),
  explicitStatus: ({ says }) => says.explicit ?? '',
  discTitles: list(discTitle, ({ says }) =>
    (says.discs ?? none).flatMap(({ disc, title }) => (title === undefined ? [] : [{ disc, title }])),
  ),
})

/** `YYYY`, `YYYY-MM` or `YYYY-MM-DD` in its parts; what is not known is left out. */
function itemDateOf(date: string | undefined): ItemDate | undefined {
  if (date === undefined) return undefined
  const [year, month, day] = date.split('-').map((part) => Number(part) || undefined)
  return { year, month, day }
}

/**
 * An album as a folder, for clients that browse by folders: it lies in its first artist. The description gives folders a
 * title only, and some clients read the name that other servers say besides.
 */
export const albumFolder = shape<AlbumDetails>({
  id: ({ id }) => id,
  parent: ({ artists }) => artistsOf(artists)[0]?.id,
  isDir: true,
  name: ({ name }) => name || nameless.album,
  title: ({ name }) => name || nameless.album,
  album: ({ name }) => name || nameless.album,
  artist: ({ artist }) => artist || nameless.artist,
  year: ({ year }) => year,
  genre: ({ genres }) => genres[0],
  coverArt: ({ id, cover }) => coverArt(id, cover),
  songCount: ({ trackCount }) => trackCount,
  duration: ({ durationMs }) => secondsOf(durationMs),
  created: ({ addedAt }) => dateOf(addedAt),
  albumId: ({ id }) => id,
  artistId: ({ artists }) => artistsOf(artists)[0]?.id,
  mediaType: 'album',
  ...marked,
  genres: list(named, ({ genres }) => genres),
  artists: list(artistRef, ({ artists }) => artistsOf(artists)),
  displayArtist: ({ artist }) => artist || nameless.artist,
})
