import type { TrackSummary } from '../../../src/protocol/api/catalog.ts'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { Cover } from '../../components/cover.tsx'
import { Sounding } from '../../components/logo.tsx'
import { VirtualGrid } from '../../components/virtual-grid.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import '../../components/track-row.css'

/** Pixels; a shared playlist may be long, so only the rows near the window are in the page. */
const rowHeight = 56
const shape = { minWidth: 0, gap: 0, rowGap: 0, height: () => rowHeight }

/** The shared tracks; playing one plays them all from there. */
export function SharedTracks({ tracks, album }: { tracks: readonly TrackSummary[]; album: boolean }) {
  const { say } = useWords()
  return (
    <VirtualGrid
      count={tracks.length}
      shape={shape}
      label={say('songs')}
      render={(index) => <Row tracks={tracks} index={index} album={album} />}
    />
  )
}

function Row({ tracks, index, album }: { tracks: readonly TrackSummary[]; index: number; album: boolean }) {
  const { say, format } = useWords()
  const player = usePlayer()
  const track = tracks[index]
  // The queue holds these tracks themselves, so that one that stands there twice sounds in one place.
  const sounds = usePlayerState((state) => state.queue.entries[state.queue.current]?.track === track)
  const playing = usePlayerState((state) => state.status === 'playing')
  if (track === undefined) return null
  const mark = sounds ? <Sounding paused={!playing} /> : null
  return (
    <div className={`track ${sounds ? 'track-sounds' : ''}`}>
      {album ? (
        <span className="track-number">{mark ?? index + 1}</span>
      ) : (
        <span className="track-cover">
          <Cover of={{ kind: 'track', id: track.id, version: track.cover }} size={64} />
          {mark === null ? null : <span className="sounding-veil">{mark}</span>}
        </span>
      )}
      <span className="track-text">
        <button
          type="button"
          dir="auto"
          className="track-title"
          aria-label={say('playNamed', { name: track.title })}
          aria-current={sounds || undefined}
          onClick={() => (sounds ? player.toggle() : player.playAll(tracks, index))}
        >
          {track.title}
        </button>
        {track.explicit === 'explicit' ? <abbr title={say('explicit')}>E</abbr> : null}
        <span dir="auto" className="track-artist">
          {track.artist}
        </span>
      </span>
      <span className="track-time">{format.clock(track.durationMs)}</span>
    </div>
  )
}
