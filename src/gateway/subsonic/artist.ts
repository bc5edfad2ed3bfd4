import type { ArtistDetails } from '../../catalog/index/queries/artist-details.ts'
import { shape, texts } from './shape.ts'
import { marked } from './song.ts'

const { starred, userRating, averageRating } = marked

/** Artists as the API's `ArtistID3`. */
export const artist = shape<ArtistDetails>({
  id: ({ id }) => id,
  name: ({ name }) => name,
  coverArt: ({ id }) => id,
  albumCount: ({ albumCount }) => albumCount,
  starred,
  userRating,
  averageRating,
  musicBrainzId: ({ musicBrainzId }) => musicBrainzId,
  sortName: ({ sortName }) => sortName,
  roles: texts(({ roles }) => roles),
})

/** An artist as a folder, for clients that browse by folders; some show the picture that other servers name besides. */
export const artistFolder = shape<ArtistDetails>({
  id: ({ id }) => id,
  name: ({ name }) => name,
  coverArt: ({ id }) => id,
  starred,
  userRating,
  averageRating,
})

/** The same among what lies in a music folder, which stands in `parent`. */
export const artistChild = shape<ArtistDetails & { readonly parent: string }>({
  id: ({ id }) => id,
  parent: ({ parent }) => parent,
  isDir: true,
  title: ({ name }) => name,
  artist: ({ name }) => name,
  artistId: ({ id }) => id,
  coverArt: ({ id }) => id,
  mediaType: 'artist',
  starred,
  userRating,
  averageRating,
})
