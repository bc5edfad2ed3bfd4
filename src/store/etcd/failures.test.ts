import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './failures.ts'

test('a person is told where etcd was looked for and why it was not found, without what gRPC left empty', () => {
  const failed = Object.assign(new Error('14 UNAVAILABLE'), {
    code: 14,
    details: 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
  })
  const { kind, error } = failureOf(failed, 'http://127.0.0.1:1')
  assert.equal(kind, 'refused')
  assert.match(
    error.message,
    /: etcd at http:\/\/127\.0\.0\.1:1: No connection established\. Last error: connect ECONNREFUSED 127\.0\.0\.1:1$/,
  )
})
