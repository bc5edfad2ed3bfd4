import { useQuery } from '@tanstack/react-query'
import type { KnownTrack, TrackSummary } from '../../../src/protocol/api/catalog.ts'
import { trackQuery } from '../../app/queries.ts'
import { useServices } from '../../app/services.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Rating } from '../../components/star.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { WithdrawButton } from '../uploads/withdraw-button.tsx'
import './track-details.css'

/** Everything that is known of a track. */
export default function TrackDetails({ track }: { track: TrackSummary }) {
  const { api, view } = useServices()
  const { say } = useWords()
  const detail = useQuery(trackQuery(api, track.id))
  return (
    <Dialog title={track.title} onClose={() => view.set({ details: undefined })}>
      <Rating kind="track" item={track} />
      <Loaded query={detail} bones={<Bones shape="line" count={6} />}>
        {(found) => (
          <>
            <Facts track={found} />
            {found.tags === undefined ? <p className="facts-away">{say('detailsAway')}</p> : null}
            {found.withdrawable ? (
              <div className="details-actions">
                <WithdrawButton track={track} onWithdrawn={() => view.set({ details: undefined })} labelled />
              </div>
            ) : null}
          </>
        )}
      </Loaded>
    </Dialog>
  )
}

function Facts({ track }: { track: KnownTrack }) {
  const { say, format } = useWords()
  const { tags, audio } = track
  const year = track.year === undefined ? undefined : String(track.year)
  const people = (tags?.contributors ?? []).map(({ role, name }): [string, string] => [role, name])
  const rows: [string, string | undefined][] = [
    [say('artist'), track.artist],
    [say('album'), track.album.name],
    [say('year'), tags?.originalDate ?? tags?.date ?? year],
    [say('genre'), format.list(track.genres)],
    [say('composer'), format.list((tags?.composers ?? []).map(({ name }) => name))],
    ...people,
    [say('label'), format.list(tags?.labels ?? [])],
    [say('length'), format.clock(track.durationMs)],
    [say('audio'), audioLine(track, format.number)],
    [say('size'), format.bytes(track.size)],
    [say('plays'), format.number(track.mark.playCount)],
    ['BPM', tags?.bpm === undefined ? undefined : String(tags.bpm)],
    [
      'ReplayGain',
      track.replayGain?.trackGain === undefined
        ? undefined
        : `${format.number(track.replayGain.trackGain)} dB`,
    ],
    ['MusicBrainz', tags?.musicBrainz.recording],
    [say('added'), format.dateTime(track.addedAt)],
    [say('comment'), tags?.comment],
    ...(track.places ?? []).map(({ path }): [string, string] => [say('file'), path]),
  ]
  const known = rows.filter(([, value]) => value !== undefined && value !== '')
  return (
    <dl className="facts">
      {known.map(([name, value]) => (
        <div key={`${name} ${value}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {audio?.channels === 1 ? (
        <div>
          <dt>{say('channels')}</dt>
          <dd>{say('mono')}</dd>
        </div>
      ) : null}
    </dl>
  )
}

function audioLine({ audio, codec, bitrate }: KnownTrack, number: (value: number) => string): string {
  const compressed = `${codec.toUpperCase()}, ${number(bitrate)} kbit/s`
  if (audio === undefined) return compressed
  const depth = audio.bitDepth === undefined ? '' : ` / ${audio.bitDepth} bit`
  return `${compressed}, ${number(audio.sampleRate / 1000)} kHz${depth}`
}
