import type { DatabaseSync } from 'node:sqlite'
import type { Rule, Rules } from '../../../protocol/facts/listening.ts'
import type { Id } from '../../../protocol/ids.ts'
import { bytes } from '../../../store/row.ts'
import { guidOf } from '../guid.ts'
import { markKinds } from '../mark-kinds.ts'
import { fold } from '../search/words.ts'
import { roles } from '../track-credits.ts'
import { type Ask, seen, viewOf } from './view.ts'

/** SQL with its parameters. */
interface Sql {
  readonly text: string
  readonly values: readonly (string | number)[]
}

/** Tracks of a smart playlist without a limit of its own. */
const mostTracks = 10_000

/**
 * The tracks that fit the rules, in their order: those that the viewer sees, by the marks of the user who made the
 * rules. `now` is the time from which days are counted. Values reach SQLite as parameters only.
 */
export function tracksByRules(db: DatabaseSync, ask: Ask, rules: Rules, marksOf: Id, now: number): Id[] {
  db.function('folded', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : ''))
  const view = viewOf(db, ask)
  const marks = viewOf(db, { ...ask, user: marksOf }).listener
  const conditions = rules.rules.map((rule) => conditionOf(rule, now))
  const joined = conditions.map(({ text }) => `(${text})`).join(rules.match === 'all' ? ' AND ' : ' OR ')
  const onMarks = `mark.listener = ${marks} AND mark.kind = ${markKinds.track}`
  const from =
    rules.match === 'all' && rules.rules.some(needsMark)
      ? `mark CROSS JOIN track ON track.guid = mark.item AND ${onMarks}`
      : `track LEFT JOIN mark ON mark.item = track.guid AND ${onMarks}`
  return db
    .prepare(
      `SELECT track.guid FROM ${from} CROSS JOIN album ON album.id = track.album
       WHERE (${joined}) ${seen(view, 'track.scope')} ${orderOf(rules)} LIMIT ?`,
    )
    .all(...conditions.flatMap(({ values }) => values), rules.limit ?? mostTracks)
    .map((row) => guidOf(bytes(row.guid)))
}

/** Whether a track without a mark can never fit, so that only marked ones need be looked at. */
function needsMark(rule: Rule): boolean {
  switch (rule.field) {
    case 'starred':
      return rule.value
    case 'rating':
    case 'playCount':
      return (rule.operator === 'atLeast' || rule.operator === 'is') && rule.value > 0
    case 'playedAt':
    case 'starredAt':
      return rule.operator === 'inTheLastDays'
    default:
      return false
  }
}

const orders = {
  title: "coalesce(nullif(track.sort, ''), track.title) COLLATE NOCASE",
  artist: 'album.artist_sort',
  album: 'album.name COLLATE NOCASE',
  year: 'track.year',
  addedAt: 'track.added',
  playedAt: 'mark.played',
  playCount: 'coalesce(mark.plays, 0)',
  rating: 'coalesce(mark.rating, 0)',
  random: 'random()',
} as const

function orderOf({ sort, descending = false }: Rules): string {
  if (sort === undefined) return ''
  return `ORDER BY ${orders[sort]} ${descending ? 'DESC' : 'ASC'}, album.guid, track.disc, track.number, track.guid`
}

function conditionOf(rule: Rule, now: number): Sql {
  switch (rule.field) {
    case 'title':
      return textCondition('track.title', rule)
    case 'comment':
      return textCondition("coalesce(track.comment, '')", rule)
    case 'album':
      return among(rule, (match) => ({
        text: `track.album IN (SELECT id FROM album WHERE ${match('name')})`,
      }))
    case 'artist':
      return among(rule, (match) => ({ text: creditedAs(roles.artist, match) }))
    case 'composer':
      return among(rule, (match) => ({ text: creditedAs(roles.composer, match) }))
    case 'albumArtist':
      return among(rule, (match) => ({
        text: `track.album IN (SELECT album FROM album_credit WHERE role = ${roles.albumArtist}
          AND artist IN (SELECT id FROM artist WHERE ${match('name')}))`,
      }))
    case 'genre':
      return among(rule, (match) => ({
        text: `track.id IN (SELECT item FROM entry WHERE list IN (SELECT 101 + 2 * id FROM genre WHERE ${match('name')}))`,
      }))
    case 'path':
      return among(rule, (match) => ({ text: `track.id IN (SELECT track FROM file WHERE ${match('path')})` }))
    case 'starred':
      return { text: `mark.starred IS ${rule.value ? 'NOT ' : ''}NULL`, values: [] }
    case 'compilation':
      return { text: 'max(track.compilation, album.compilation) = ?', values: [rule.value ? 1 : 0] }
    case 'addedAt':
    case 'playedAt':
    case 'starredAt':
      return {
        text: `coalesce(${times[rule.field]}, 0) ${rule.operator === 'inTheLastDays' ? '>=' : '<'} ?`,
        values: [now - rule.value * 86_400_000],
      }
    default:
      return { text: `${numbers[rule.field]} ${comparisons[rule.operator]} ?`, values: [rule.value] }
  }
}

const times = { addedAt: 'track.added', playedAt: 'mark.played', starredAt: 'mark.starred' } as const
const numbers = {
  year: 'track.year',
  rating: 'coalesce(mark.rating, 0)',
  playCount: 'coalesce(mark.plays, 0)',
  durationSeconds: 'track.duration / 1000',
  bpm: 'track.bpm',
  bitrate: 'track.bitrate',
  track: 'track.number',
  disc: 'track.disc',
} as const
const comparisons = { is: '=', isNot: 'IS NOT', atLeast: '>=', atMost: '<=' } as const

type TextRule = Extract<Rule, { value: string }>

function textCondition(column: string, { operator, value }: TextRule): Sql {
  const wanted = fold(value)
  const has = `instr(folded(${column}), ?) > 0`
  switch (operator) {
    case 'is':
      return { text: `folded(${column}) = ?`, values: [wanted] }
    case 'isNot':
      return { text: `folded(${column}) <> ?`, values: [wanted] }
    case 'contains':
      return { text: has, values: [wanted] }
    case 'doesNotContain':
      return { text: `NOT ${has}`, values: [wanted] }
    case 'startsWith':
      return { text: `substr(folded(${column}), 1, length(?)) = ?`, values: [wanted, wanted] }
    case 'endsWith':
      // substr with a start of -0 would be the whole text: what everything ends with is nothing.
      return wanted === ''
        ? { text: 'true', values: [] }
        : { text: `substr(folded(${column}), -length(?)) = ?`, values: [wanted, wanted] }
  }
}

/** A condition on one of several names that a track has; the negative ones hold if none of the names fits. */
function among(rule: TextRule, make: (match: (column: string) => string) => { text: string }): Sql {
  const negative = rule.operator === 'isNot' || rule.operator === 'doesNotContain'
  const positive = { ...rule, operator: positives[rule.operator] }
  let values: readonly (string | number)[] = []
  const { text } = make((column) => {
    const condition = textCondition(column, positive)
    values = condition.values
    return condition.text
  })
  return { text: negative ? `NOT ${text}` : text, values }
}

const positives = {
  is: 'is',
  isNot: 'is',
  contains: 'contains',
  doesNotContain: 'contains',
  startsWith: 'startsWith',
  endsWith: 'endsWith',
} as const

function creditedAs(role: number, match: (column: string) => string): string {
  return `track.id IN (SELECT track FROM credit WHERE role = ${role}
    AND artist IN (SELECT id FROM artist WHERE ${match('name')}))`
}
