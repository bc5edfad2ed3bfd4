import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { unreachable } from '../api/problem.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { esProblems } from './es-problems.ts'
import { say } from './message.ts'
import { problemText } from './problems.ts'

/** Codes that no page meets: those of the command line, of a start that failed, and of nodes among themselves. */
const elsewhere =
  /^(PORT_IN_USE|ADDRESS_UNUSABLE|PLAYER_NOT_BUILT|SETTING_INVALID|COMPACTED|LEASE_ENDED|ETCD_MISSING|MOVE_DIFFERS|STORE_(DIVERGED|NOT_EMPTY|RETIRED|INCOMPLETE)|NOT_RUNNING|DISCOVERY_EMPTY|(DATA_FOLDER|BACKUP|JOIN|NODE|AUTHORITY|ALREADY_IN|NOT_IN)_.*)$/

test('[S4] every problem that a page can meet is said in Spanish too', () => {
  const codes = Object.keys(errorCodes)
  const spanish = Object.keys(esProblems)
  const missing = codes.filter((code) => !elsewhere.test(code) && !spanish.includes(code))
  assert.deepEqual(
    missing,
    [],
    'say them in web/i18n/es-problems.ts, or name them above where no page can meet them',
  )
  assert.deepEqual(
    spanish.filter((code) => !codes.includes(code)),
    [],
    'the server knows none of these any more',
  )
  for (const [code, { title, help }] of Object.entries(esProblems)) {
    assert.ok(title.length > 0 && !/[.!]$/.test(title), code)
    assert.match(help, /[.!]$/, code)
  }
})

const problem: ProblemDocument = {
  type: 'about:blank',
  title: 'Another account has this name',
  status: 409,
  code: 'NAME_TAKEN',
  detail: 'ada is taken',
  help: 'Choose another name.',
}
const inSpanish = (change: Partial<ProblemDocument>) =>
  problemText({ ...problem, ...change }, esProblems, (key, ...[parameters]) => say(es[key], 'es', parameters))
const inEnglish = (change: Partial<ProblemDocument>) =>
  problemText({ ...problem, ...change }, {}, (key, ...[parameters]) => say(en[key], 'en', parameters))

test('a problem is said in the person’s language by its code, and its detail as the server knows it', () => {
  assert.deepEqual(inSpanish({}), {
    ...esProblems.NAME_TAKEN,
    detail: 'ada is taken',
    brief: esProblems.NAME_TAKEN.title,
  })
  assert.equal(inEnglish({}).brief, 'ada is taken')
  assert.equal(inEnglish({ code: 'TIMED_OUT', detail: 'etcd at https://[::1]:2379' }).brief, problem.title)
})

test('a code that this page does not know yet is said as the server said it', () => {
  const { title, help } = inSpanish({ code: 'OF_A_NEWER_SERVER' })
  assert.deepEqual([title, help], [problem.title, problem.help])
})

test('what the page finds out by itself is said in the person’s language', () => {
  assert.equal(inSpanish(unreachable).title, es.unreachableTitle)
  assert.equal(inEnglish({ ...unreachable, code: 'INTERNAL' }).title, en.brokenTitle)
})
