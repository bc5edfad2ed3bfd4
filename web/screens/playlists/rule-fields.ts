import type { Rule, Rules } from '../../../src/protocol/facts/listening.ts'

/** The fields of smart playlists by what can be asked of them; the schema of rules says the same. */

const textFields = [
  'title',
  'artist',
  'albumArtist',
  'album',
  'genre',
  'composer',
  'comment',
  'path',
] as const
const numberFields = [
  'year',
  'rating',
  'playCount',
  'durationSeconds',
  'bpm',
  'bitrate',
  'track',
  'disc',
] as const
const dateFields = ['addedAt', 'playedAt', 'starredAt'] as const
const truthFields = ['starred', 'compilation'] as const

export type RuleField = Rule['field']
export const ruleFields: readonly RuleField[] = [
  ...textFields,
  ...numberFields,
  ...dateFields,
  ...truthFields,
]

const textOperators = ['contains', 'doesNotContain', 'is', 'isNot', 'startsWith', 'endsWith'] as const
const numberOperators = ['is', 'isNot', 'atLeast', 'atMost'] as const
const dateOperators = ['inTheLastDays', 'notInTheLastDays'] as const
export type RuleOperator = Rule['operator']

export const sorts: readonly NonNullable<Rules['sort']>[] = [
  'random',
  'title',
  'artist',
  'album',
  'year',
  'addedAt',
  'playedAt',
  'playCount',
  'rating',
]

export function operatorsOf(field: RuleField): readonly RuleOperator[] {
  if (is(textFields, field)) return textOperators
  if (is(numberFields, field)) return numberOperators
  return is(dateFields, field) ? dateOperators : ['is']
}

/** A rule on this field, ready to be changed. */
export function newRule(field: RuleField): Rule {
  if (is(textFields, field)) return { field, operator: 'contains', value: '' }
  if (is(numberFields, field)) return { field, operator: 'atLeast', value: field === 'year' ? 2000 : 1 }
  if (is(dateFields, field)) return { field, operator: 'inTheLastDays', value: 30 }
  return { field, operator: 'is', value: true }
}

/** The same rule with another operator of its field. */
export function withOperator(rule: Rule, operator: RuleOperator): Rule {
  if (isText(rule) && is(textOperators, operator)) return { ...rule, operator }
  if (isNumber(rule) && is(numberOperators, operator)) return { ...rule, operator }
  if (isDate(rule) && is(dateOperators, operator)) return { ...rule, operator }
  return rule
}

/** The same rule with what a person typed; undefined where that is no value for its field. */
export function withValue(rule: Rule, typed: string): Rule | undefined {
  if (isText(rule)) return { ...rule, value: typed }
  const number = Number(typed)
  if (typed.trim() === '' || !Number.isFinite(number)) return undefined
  if (isNumber(rule)) return { ...rule, value: number }
  if (isDate(rule)) return { ...rule, value: Math.min(Math.max(1, Math.round(number)), 36_500) }
  return rule
}

export function withTruth(rule: Rule, value: boolean): Rule {
  return isText(rule) || isNumber(rule) || isDate(rule) ? rule : { ...rule, value }
}

type TextRule = Extract<Rule, { value: string }>
type DateRule = Extract<Rule, { operator: 'inTheLastDays' | 'notInTheLastDays' }>
type TruthRule = Extract<Rule, { value: boolean }>
type NumberRule = Exclude<Rule, TextRule | DateRule | TruthRule>

const isText = (rule: Rule): rule is TextRule => is(textFields, rule.field)
const isNumber = (rule: Rule): rule is NumberRule => is(numberFields, rule.field)
const isDate = (rule: Rule): rule is DateRule => is(dateFields, rule.field)

function is<T extends string>(list: readonly T[], value: string): value is T {
  return list.some((item) => item === value)
}
