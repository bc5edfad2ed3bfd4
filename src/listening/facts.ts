import {
  bookmark,
  marksDefinition,
  message,
  playlist,
  queue,
  share,
  station,
} from '../protocol/facts/listening.ts'
import { defineCollection } from '../store/collection.ts'

/** `<userId>/<kind>/<itemId>` */
export const marks = defineCollection(marksDefinition)

/** `<userId>` */
export const queues = defineCollection({ prefix: 'listening/queues/', version: 1, schema: queue })

/** `<playlistId>` */
export const playlists = defineCollection({
  prefix: 'listening/playlists/',
  version: 1,
  schema: playlist,
  compress: true,
})

/** `<userId>/<trackId>` */
export const bookmarks = defineCollection({ prefix: 'listening/bookmarks/', version: 1, schema: bookmark })

/** `<stationId>` */
export const stations = defineCollection({ prefix: 'listening/stations/', version: 1, schema: station })

/** `<token>` */
export const shares = defineCollection({
  prefix: 'listening/shares/',
  version: 2,
  schema: share,
  // The second form may hold artists.
  upgrades: { 1: (data) => data },
})

/** `<time>-<messageId>` */
export const messages = defineCollection({ prefix: 'listening/messages/', version: 1, schema: message })
