import { CodedError } from '../protocol/errors.ts'
import type { Id } from '../protocol/ids.ts'
import type { PlaylistChange } from './listening.ts'

export type Edit = NonNullable<PlaylistChange['edits']>[number]

/** Tracks of a playlist. */
export const mostTracks = 20_000

/** The tracks after the edits, done one after another. BAD_REQUEST where a position does not exist, TOO_LARGE. */
export function edited(tracks: readonly Id[], edits: readonly Edit[]): Id[] {
  return edits.reduce<Id[]>(editedOnce, [...tracks])
}

/** The tracks that edits bring in. */
export function broughtBy(edits: readonly Edit[]): Set<Id> {
  return new Set(edits.flatMap((edit) => ('tracks' in edit ? edit.tracks : [])))
}

function editedOnce(tracks: Id[], edit: Edit): Id[] {
  const next = apply(tracks, edit)
  if (next.length > mostTracks) throw new CodedError('TOO_LARGE', `a playlist holds ${mostTracks} tracks`)
  return next
}

function apply(tracks: Id[], edit: Edit): Id[] {
  switch (edit.do) {
    case 'append':
      return [...tracks, ...edit.tracks]
    case 'insert':
      within(edit.at, tracks.length + 1)
      return tracks.toSpliced(edit.at, 0, ...edit.tracks)
    case 'remove': {
      for (const position of edit.positions) within(position, tracks.length)
      const gone = new Set(edit.positions)
      return tracks.filter((_, at) => !gone.has(at))
    }
    case 'move': {
      within(edit.from, tracks.length)
      within(edit.to, tracks.length)
      const moved = tracks.slice(edit.from, edit.from + 1)
      return tracks.toSpliced(edit.from, 1).toSpliced(edit.to, 0, ...moved)
    }
    case 'replace':
      return [...edit.tracks]
  }
}

function within(position: number, length: number): void {
  if (position >= length) {
    throw new CodedError('BAD_REQUEST', `there is no position ${position} in a playlist of ${length}`)
  }
}
