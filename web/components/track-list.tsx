import type { TrackSummary } from '../../src/protocol/api/catalog.ts'
import { useTrackActions } from '../app/actions.tsx'
import { TrackRow } from './track-row.tsx'

/** A short list of tracks; playing one plays them all from there. */
export function TrackList({
  tracks,
  label,
  numbers = 'none',
  cover = true,
  album = true,
}: {
  tracks: readonly TrackSummary[]
  label: string
  numbers?: 'none' | 'album' | 'list'
  cover?: boolean
  album?: boolean
}) {
  const actions = useTrackActions()
  return (
    <ol aria-label={label}>
      {tracks.map((track, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a track may stand in a list twice; its place tells them apart.
        <li key={`${track.id} ${index}`}>
          <TrackRow
            track={track}
            number={numbers === 'album' ? track.track : numbers === 'list' ? index + 1 : undefined}
            cover={cover}
            album={album}
            onPlay={() => actions.play(tracks, index)}
          />
        </li>
      ))}
    </ol>
  )
}
