import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { CodedError } from '../../protocol/errors.ts'
import {
  type Ask,
  delivered,
  failureOf,
  type Outcome,
  refusalOf,
  type Service,
  type Target,
} from './service.ts'

const prefix = 'whsec_'
/** A receiver that is being changed may say for some minutes that it knows no such thing. */
const attemptsOfRefused = 8

/** A key for signatures, as Standard Webhooks writes it. */
export const newWebhookSecret = () => prefix + randomBytes(32).toString('base64')

/**
 * Events as JSON, one by one, with the headers of Standard Webhooks: `webhook-id` is the same however often an event is
 * sent, `webhook-timestamp` is when it is sent, `webhook-signature` proves both and the body.
 */
export const webhook: Service = {
  most: 1,

  async deliver(target, [event], ask) {
    if (event === undefined) return delivered
    const { type, id, at, ...data } = event
    return await post(target, { id, type, at, data }, ask)
  },

  async check(target, ask) {
    const refusal = refusalOf(
      await post(target, { id: randomUUID(), type: 'test', at: Date.now(), data: {} }, ask),
    )
    if (refusal !== null) throw refusal
    return undefined
  },
}

interface Message {
  readonly id: string
  readonly type: string
  readonly at: number
  readonly data: object
}

async function post({ url, secret }: Target, { id, type, at, data }: Message, ask: Ask): Promise<Outcome> {
  const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data })
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const answer = await ask({
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}`,
    },
    body,
  })
  const { status } = answer
  if (status >= 200 && status < 300) return delivered
  // Gone: the receiver says that it wants no more.
  if (status === 401 || status === 403 || status === 410) {
    return { kind: 'attention', code: 'SERVICE_REFUSED', detail: `it answered ${status}` }
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429) {
    return { kind: 'refused', detail: `it answered ${status}`, attempts: attemptsOfRefused }
  }
  return failureOf(answer)
}

function signatureOf(secret: string, content: string): string {
  if (!secret.startsWith(prefix)) throw new CodedError('SECRETS_UNREADABLE', 'the key of a webhook')
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  return createHmac('sha256', key).update(content).digest('base64')
}
