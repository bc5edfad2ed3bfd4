/** The orders that lists of albums and songs offer, as they stand in the address; the first is the usual one. */

export const albumOrders = [
  'name',
  'artist',
  'added',
  'yearDescending',
  'year',
  'played',
  'mostPlayed',
  'rating',
  'starred',
  'random',
] as const
export type AlbumOrder = (typeof albumOrders)[number]

export const songOrders = [
  'title',
  'artist',
  'album',
  'added',
  'played',
  'mostPlayed',
  'rating',
  'starred',
] as const
export type SongOrder = (typeof songOrders)[number]
