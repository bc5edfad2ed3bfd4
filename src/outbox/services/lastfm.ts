import { createHash } from 'node:crypto'
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
  refusalOf,
  type Service,
  type Target,
} from './service.ts'

/** By which the service knows this server. */
export interface Keys {
  readonly apiKey: string
  readonly sharedSecret: string
}

type Parameters = Readonly<Record<string, string>>

const failure = z.object({ error: z.coerce.number(), message: z.string().default('') })
const session = z.object({ session: z.object({ name: z.string(), key: z.string() }) })
const ignored = z.object({ ignoredMessage: z.object({ code: z.coerce.number() }) })
const scrobbled = z.object({
  // One that was sent alone is answered alone.
  scrobbles: z.object({ scrobble: z.union([z.array(ignored), ignored.transform((one) => [one])]) }),
})

/** Codes of its errors that pass by themselves: failed, offline, unavailable, too many. */
const passing: ReadonlySet<number> = new Set([8, 11, 16, 29])
/** Those that only people put right: a session that was ended, our keys, our signature. */
const needing: ReadonlySet<number> = new Set([4, 9, 10, 13, 14, 15, 17, 26])
/** Why a scrobble was not counted: so many were that the rest has to wait for tomorrow. */
const tooManyToday = 5

/** Last.fm's Scrobbling 2.0, which Libre.fm speaks too. */
export function createLastfm(keys: Keys): Service {
  return {
    most: 50,

    async deliver(target, events, ask) {
      const plays = playsOf(events)
      if (plays.length === 0) return delivered
      const sent = plays.map(({ at, track }, index) =>
        indexed({ ...parametersOf(track), timestamp: String(Math.floor(at / 1_000)) }, index),
      )
      const answer = await call(
        keys,
        target,
        { method: 'track.scrobble', ...Object.assign({}, ...sent) },
        ask,
      )
      const failed = failureIn(answer)
      if (failed !== null) return failed
      const codes = scrobbled.safeParse(parsed(answer.text)).data?.scrobbles.scrobble ?? []
      const reasons = codes.map(({ ignoredMessage }) => ignoredMessage.code)
      const left = plays.filter((_, index) => reasons[index] === tooManyToday).map(({ id }) => id)
      const refused = reasons.filter((code) => code !== 0 && code !== tooManyToday).length
      return { kind: 'delivered', refused, left: new Set(left) }
    },

    async check(target, ask) {
      const answer = await call(keys, target, { method: 'user.getInfo' }, ask)
      throwFailure(answer)
      return undefined
    },

    async playing(target, track, ask) {
      await call(keys, target, { method: 'track.updateNowPlaying', ...parametersOf(track) }, ask)
    },
  }
}

/**
 * What a token becomes that the service handed to the user's page: a key that holds until the user ends it there.
 * SERVICE_REFUSED, SERVICE_UNAVAILABLE.
 */
export async function openSession(
  keys: Keys,
  url: string,
  token: string,
  ask: Ask,
): Promise<{ readonly name: string; readonly key: string }> {
  const answer = await send(keys, url, { method: 'auth.getSession', token }, ask)
  throwFailure(answer)
  const said = session.safeParse(parsed(answer.text))
  if (!said.success) throw new CodedError('SERVICE_UNAVAILABLE', 'it does not answer as Last.fm does')
  return said.data.session
}

function call(keys: Keys, { url, secret }: Target, parameters: Parameters, ask: Ask): Promise<OutwardAnswer> {
  return send(keys, url, { ...parameters, sk: secret }, ask)
}

function send(
  { apiKey, sharedSecret }: Keys,
  url: string,
  given: Parameters,
  ask: Ask,
): Promise<OutwardAnswer> {
  const parameters = { ...given, api_key: apiKey }
  const body = new URLSearchParams({
    ...parameters,
    api_sig: signatureOf(parameters, sharedSecret),
    format: 'json',
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return ask({ url, method: 'POST', headers, body: body.toString() })
}

/** Names and values in the order of ASCII, then the secret: its documentation, "Signing calls". */
export function signatureOf(parameters: Parameters, sharedSecret: string): string {
  const text = Object.entries(parameters)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => name + value)
    .join('')
  return createHash('md5')
    .update(text + sharedSecret)
    .digest('hex')
}

function failureIn(answer: OutwardAnswer): Outcome | null {
  const said = failure.safeParse(parsed(answer.text)).data
  if (said === undefined) return answer.status === 200 ? null : failureOf(answer)
  const detail = brief(said.message)
  if (needing.has(said.error)) return { kind: 'attention', code: 'SERVICE_REFUSED', detail }
  if (passing.has(said.error) || answer.status >= 500 || answer.status === 429)
    return failureOf(answer, detail)
  return { kind: 'refused', detail, attempts: 1 }
}

function throwFailure(answer: OutwardAnswer): void {
  const failed = failureIn(answer)
  const refusal = failed === null ? null : refusalOf(failed)
  if (refusal !== null) throw refusal
}

function parametersOf({
  title,
  artist,
  album,
  albumArtist,
  track,
  durationMs,
  musicBrainz,
}: EventTrack): Parameters {
  return {
    artist,
    track: title,
    duration: String(Math.round(durationMs / 1_000)),
    ...(album !== undefined && { album }),
    ...(albumArtist !== undefined && albumArtist !== artist && { albumArtist }),
    ...(track !== undefined && { trackNumber: String(track) }),
    ...(musicBrainz.recording !== undefined && { mbid: musicBrainz.recording }),
  }
}

function indexed(parameters: Parameters, index: number): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`${name}[${index}]`, value]))
}
