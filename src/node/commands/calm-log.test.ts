import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { CodedError } from '../../protocol/errors.ts'
import { calmHooks } from './calm-log.ts'

function logged() {
  const lines: string[] = []
  const clock = { ms: 0 }
  const log = pino({ hooks: calmHooks(() => clock.ms) }, { write: (line: string) => void lines.push(line) })
  const away = new CodedError('UNREACHABLE', 'etcd at https://127.0.0.1:1')
  return { lines, clock, log, away }
}

test('the same about what is away is said once a minute, and how often it was left out', async () => {
  const { lines, clock, log, away } = logged()
  const late = await pause(1_000, undefined, { signal: AbortSignal.timeout(1) }).catch(
    (error: unknown) => error,
  )
  const failures = [away, new DOMException('late', 'TimeoutError'), late, new CodedError('ETCD_MISSING')]
  for (let second = 0; second < 60; second += 1) {
    clock.ms = second * 1_000
    log.child({ part: second % 2 }).warn({ err: failures[second % 4] }, 'the registry met trouble')
  }
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /UNREACHABLE.*the registry met trouble/)
  clock.ms = 60_000
  log.warn({ err: away }, 'the registry met trouble')
  assert.equal(lines.length, 2)
  assert.match(lines[1] ?? '', /"leftOut":59/)
  assert.match(lines[1] ?? '', /127\.0\.0\.1:1/)
})

test('what is another line, another failure or no absence is written as it comes', () => {
  const { lines, log, away } = logged()
  log.warn({ err: away }, 'the registry met trouble')
  log.warn({ err: away }, 'the operator met trouble')
  log.warn({ err: new CodedError('STORE_FULL') }, 'the registry met trouble')
  for (let time = 0; time < 2; time += 1) {
    log.error({ err: new Error('broken') }, 'upkeep met an error')
    log.warn({ code: 'UNREACHABLE' }, 'a request could not be answered')
    log.info('ready')
  }
  assert.equal(lines.length, 9)
})
