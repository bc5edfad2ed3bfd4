import type { Parts } from './artists.ts'
import { type DocumentState, weightOf } from './search/documents.ts'
import { roles } from './track-credits.ts'

/** A track as its words are made of it, but for its album's name. */
export interface NamedTrack {
  readonly id: number
  readonly guid: Uint8Array
  readonly title: string
  readonly sort: string | null
  readonly credits: readonly NamedCredit[]
  readonly genres: readonly string[]
  readonly scope: number
  readonly old: DocumentState
}

export interface NamedCredit {
  readonly role: number
  readonly name: string
  readonly sort: string
}

/** Answers the function that writes the words of a track: title, artists, album and genres. */
export function openTrackWords({
  documents,
  marks,
}: Parts): (track: NamedTrack, album: string) => DocumentState {
  return ({ id, guid, title, sort, credits, genres, scope, old }, album) => {
    const artists: string[] = []
    for (const credit of credits) if (credit.role === roles.artist) artists.push(credit.name, credit.sort)
    return documents.put(
      'track',
      { id, weight: weightOf(marks.popularity('track', guid)), scope },
      [[title, sort], artists, [album], genres],
      old,
    )
  }
}
