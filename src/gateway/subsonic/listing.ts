import type { DatabaseSync } from 'node:sqlite'
import { albums } from '../../catalog/index/queries/albums.ts'
import { albumDetails, trackDetails } from '../../catalog/index/queries/details.ts'
import { tracks } from '../../catalog/index/queries/tracks.ts'
import type { Ask } from '../../catalog/index/queries/view.ts'
import type { AlbumQuery, TrackQuery } from '../../protocol/api/catalog.ts'
import { albumOf } from './album.ts'
import type { Content } from './content.ts'
import { scriptOf } from './script.ts'
import { songOf } from './song.ts'
import { elementOf } from './xml.ts'

/**
 * Pages of songs and albums as the text of the answer. They are asked for 500 at a time, so they are made where they
 * are read, in the index's reader thread: to hand over the items would take longer than to write them, and the main
 * thread has audio to serve.
 */
export interface Listed {
  /** A list in JSON, or one element after another in XML. */
  readonly bytes: Uint8Array
  readonly count: number
  readonly next: string | undefined
}

export type Form = 'xml' | 'json' | 'jsonp'

export function songList(db: DatabaseSync, ask: Ask, query: TrackQuery, form: Form): Listed {
  const { items, next } = tracks(db, ask, query)
  const details = trackDetails(
    db,
    ask,
    items.map(({ id }) => id),
  )
  const songs = items.map((track) => songOf(track, details.get(track.id)))
  return { bytes: bytesOf('song', songs, form), count: items.length, next }
}

export function albumList(db: DatabaseSync, ask: Ask, query: AlbumQuery, form: Form): Listed {
  const { items, next } = albums(db, ask, query)
  const details = albumDetails(
    db,
    ask,
    items.map(({ id }) => id),
  )
  const found = items.map((album) => albumOf(album, details.get(album.id)))
  return { bytes: bytesOf('album', found, form), count: items.length, next }
}

/** As bytes: a text of a megabyte would have both threads collect garbage. */
function bytesOf(name: string, items: readonly Content[], form: Form): Uint8Array {
  if (form === 'xml') return encoder.encode(items.map((item) => elementOf(name, item)).join(''))
  const json = JSON.stringify(items)
  return encoder.encode(form === 'json' ? json : scriptOf(json))
}

const encoder = new TextEncoder()
