import { z } from 'zod'
import type { OutwardAnswer } from '../../outward/outward.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { EventTrack } from '../../protocol/facts/outbox.ts'
import {
  type Ask,
  brief,
  delivered,
  failureOf,
  type Outcome,
  parsed,
  playsOf,
  type Service,
  type Target,
} from './service.ts'

export const listenbrainzUrl = 'https://api.listenbrainz.org'

const validity = z.object({ valid: z.boolean(), user_name: z.string().optional() })
const failure = z.object({ error: z.string() })

/** ListenBrainz, and what speaks as it does: Maloja, Koito, servers of one's own. */
export const listenbrainz: Service = {
  /** MAX_LISTENS_PER_REQUEST of its documentation. */
  most: 1_000,

  async deliver(target, events, ask) {
    const payload = playsOf(events).map(({ at, track }) => ({
      listened_at: Math.floor(at / 1_000),
      track_metadata: metadataOf(track),
    }))
    if (payload.length === 0) return delivered
    const listen_type = payload.length === 1 ? 'single' : 'import'
    return outcomeOf(await submit(target, { listen_type, payload }, ask))
  },

  async check({ url, secret }, ask) {
    const answer = await ask({ url: `${url}/1/validate-token`, method: 'GET', headers: headersOf(secret) })
    const said = validity.safeParse(parsed(answer.text))
    if (answer.status === 401 || said.data?.valid === false) throw new CodedError('SERVICE_REFUSED')
    if (answer.status !== 200 || !said.success) {
      throw new CodedError('SERVICE_UNAVAILABLE', `it answered ${answer.status}, not as ListenBrainz does`)
    }
    return said.data.user_name
  },

  async playing(target, track, ask) {
    await submit(
      target,
      { listen_type: 'playing_now', payload: [{ track_metadata: metadataOf(track) }] },
      ask,
    )
  },
}

function submit({ url, secret }: Target, listens: object, ask: Ask): Promise<OutwardAnswer> {
  const headers = { ...headersOf(secret), 'content-type': 'application/json' }
  return ask({ url: `${url}/1/submit-listens`, method: 'POST', headers, body: JSON.stringify(listens) })
}

const headersOf = (token: string) => ({ authorization: `Token ${token}` })

function outcomeOf(answer: OutwardAnswer): Outcome {
  const { status, text } = answer
  const words = brief(failure.safeParse(parsed(text)).data?.error ?? '')
  if (status >= 200 && status < 300) return delivered
  if (status === 401 || status === 403) return { kind: 'attention', code: 'SERVICE_REFUSED', detail: words }
  if (status === 400 || status === 413) return { kind: 'refused', detail: words, attempts: 1 }
  return failureOf(answer, words)
}

function metadataOf({ title, artist, artists, album, musicBrainz, ...track }: EventTrack) {
  const artistIds = artists.flatMap(({ musicBrainzId }) => musicBrainzId ?? [])
  return {
    artist_name: artist,
    track_name: title,
    ...(album !== undefined && { release_name: album }),
    additional_info: {
      media_player: 'Hocket',
      submission_client: 'Hocket',
      duration_ms: track.durationMs,
      ...(track.track !== undefined && { tracknumber: track.track }),
      ...(track.disc !== undefined && { discnumber: track.disc }),
      ...(track.isrc !== undefined && { isrc: track.isrc }),
      ...(musicBrainz.recording !== undefined && { recording_mbid: musicBrainz.recording }),
      ...(musicBrainz.track !== undefined && { track_mbid: musicBrainz.track }),
      ...(musicBrainz.release !== undefined && { release_mbid: musicBrainz.release }),
      ...(musicBrainz.releaseGroup !== undefined && { release_group_mbid: musicBrainz.releaseGroup }),
      ...(artistIds.length > 0 && { artist_mbids: artistIds }),
    },
  }
}
