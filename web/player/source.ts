import type { Playable } from './playable.ts'

/** Where the bytes of a track come from. */
export interface Source {
  readonly url: string
  /**
   * `direct`: the file itself, with ranges. `transcoded`: made for this browser, from `offsetMs` on, without ranges.
   * `live`: what a station sends now.
   */
  readonly kind: 'direct' | 'transcoded' | 'live'
  readonly offsetMs: number
}

/** What `HTMLMediaElement.canPlayType` answers: '', 'maybe' or 'probably'. */
export type CanPlay = (type: string) => string

/** kbit/s of what is made for a browser that cannot play the file. */
const transcodedBitrate = { opus: 160, mp3: 256 }

const codecParameter: Record<string, string> = {
  vorbis: 'audio/ogg; codecs="vorbis"',
  opus: 'audio/ogg; codecs="opus"',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  aac: 'audio/mp4; codecs="mp4a.40.2"',
  alac: 'audio/mp4; codecs="alac"',
  pcm: 'audio/wav; codecs="1"',
}

/** Whether the browser says that it can play the file as it is. */
function playsDirectly(track: Playable, canPlay: CanPlay): boolean {
  const container = canPlay(track.mediaType) !== ''
  const known = codecParameter[track.codec]
  if (known === undefined || !known.startsWith(track.mediaType)) return container
  return canPlay(known) !== ''
}

export function sourceOf(
  track: Playable,
  canPlay: CanPlay,
  wanted: { transcoded?: boolean; offsetMs: number },
): Source {
  if (track.kind === 'station') return { kind: 'live', offsetMs: 0, url: `/api/stations/${track.id}/stream` }
  const path = `/api/${track.kind === 'episode' ? 'episodes' : 'tracks'}/${track.id}`
  if (wanted.transcoded !== true && playsDirectly(track, canPlay)) {
    return {
      kind: 'direct',
      offsetMs: 0,
      url: `${path}/audio?v=${encodeURIComponent(track.version)}`,
    }
  }
  const format = canPlay('audio/ogg; codecs="opus"') === '' ? 'mp3' : 'opus'
  const offsetMs = Math.max(0, Math.floor(wanted.offsetMs))
  const query = new URLSearchParams({
    format,
    bitrate: String(transcodedBitrate[format]),
    offsetMs: String(offsetMs),
  })
  return { kind: 'transcoded', offsetMs, url: `${path}/transcode?${query}` }
}
