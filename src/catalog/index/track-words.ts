import type { Parts } from './artists.ts'
import { type DocumentState, weightOf } from './search/documents.ts'

/** What the words of a track are made of, but for its album's name. */
export interface NamedTrack {
  readonly id: number
  readonly guid: Uint8Array
  readonly title: string
  readonly sort: string | null
  /** The names of those who are heard, and what these are sorted under. */
  readonly artists: readonly string[]
  readonly genres: readonly string[]
  readonly scope: number
  readonly old: DocumentState
}

/** Answers the function that writes the words of a track: title, artists, album and genres. */
export function openTrackWords({
  documents,
  marks,
}: Parts): (track: NamedTrack, album: string) => DocumentState {
  return ({ id, guid, title, sort, artists, genres, scope, old }, album) =>
    documents.put(
      'track',
      { id, weight: weightOf(marks.popularity('track', guid)), scope },
      [[title, sort], artists, [album], genres],
      old,
    )
}
