import { CodedError, type ErrorCode } from '../../protocol/errors.ts'

/**
 * What a failed call to a member means for whoever called:
 * - `refused`: it was not carried out, and another member, or the same one later, may take it;
 * - `unknown`: it may have been carried out, or may yet be;
 * - `large`: the answer was larger than we take;
 * - `final`: the store has refused this very request, and will again.
 */
export interface Failure {
  readonly kind: 'refused' | 'unknown' | 'large' | 'final'
  readonly error: CodedError
}

/** Ours have up to 4 MB of values, and keys; etcd takes 1.5 MiB unless told. */
const largerRequests = 'it needs --max-request-bytes=8388608'

/** Sentences of etcd (`api/v3rpc/rpctypes/error.go`), which its versions keep; the codes beside them have changed. */
const answers: readonly {
  readonly says: RegExp
  readonly kind: Failure['kind']
  readonly code: ErrorCode
  readonly hint?: string
}[] = [
  { says: /has been compacted/, kind: 'final', code: 'COMPACTED' },
  { says: /requested lease not found/, kind: 'final', code: 'LEASE_ENDED' },
  { says: /database space exceeded/, kind: 'final', code: 'STORE_FULL' },
  { says: /corrupt/, kind: 'final', code: 'STORE_DIVERGED' },
  { says: /request is too large/, kind: 'final', code: 'TOO_LARGE', hint: largerRequests },
  { says: /too many operations/, kind: 'final', code: 'TOO_LARGE', hint: 'it needs --max-txn-ops=128' },
  { says: /received message larger than max/i, kind: 'large', code: 'TOO_LARGE', hint: largerRequests },
  { says: /No connection established/, kind: 'refused', code: 'UNREACHABLE' },
  {
    says: /no leader|not supported for learner|too many requests/,
    kind: 'refused',
    code: 'UNREACHABLE',
  },
  { says: /auth|permission denied|user name|password|certificate/i, kind: 'final', code: 'STORE_REFUSED' },
]

/**
 * gRPC's codes with which nobody knows whether the call was carried out: cancelled, unknown, deadline exceeded, aborted,
 * internal, unavailable, data loss.
 */
const unknown: readonly number[] = [1, 2, 4, 10, 13, 14, 15]

export function failureOf(error: unknown, endpoint: string): Failure {
  const { code, details } = parts(error)
  const answer = answers.find(({ says }) => says.test(details))
  const kind = answer?.kind ?? (code === undefined || unknown.includes(code) ? 'unknown' : 'final')
  const detail = `etcd at ${endpoint}: ${details}${answer?.hint === undefined ? '' : `; ${answer.hint}`}`
  return {
    kind,
    error: new CodedError(answer?.code ?? (kind === 'final' ? 'STORE_REFUSED' : 'UNREACHABLE'), detail, {
      cause: error,
    }),
  }
}

function parts(error: unknown): { code: number | undefined; details: string } {
  if (!(error instanceof Error)) return { code: undefined, details: String(error) }
  const code = 'code' in error && typeof error.code === 'number' ? error.code : undefined
  const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message
  // gRPC leaves room for a remark of its own, and mostly has none.
  return { code, details: details.replace(/\.? Resolution note: $/, '') }
}
