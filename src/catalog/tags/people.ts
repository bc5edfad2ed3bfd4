import type { Credit, Tags } from '../../protocol/facts/catalog.ts'
import { defined } from './defined.ts'
import type { Fields } from './fields.ts'
import { cleanText } from './text.ts'

interface CreditNames {
  readonly names: readonly string[]
  readonly sorts: readonly string[]
  readonly ids: readonly string[]
}

/** People and groups with their sort names and MusicBrainz ids, which belong together only where they are as many. */
export function credits(fields: Fields, { names, sorts, ids }: CreditNames): Credit[] {
  const values = (keys: readonly string[]) =>
    keys.map((key) => fields.get(key)).find((found) => found !== undefined)
  const given = values(names) ?? []
  const parts = (given.length === 1 ? splitCredit(given[0] ?? '') : given).map((name) =>
    cleanText(name, 1_000),
  )
  const people = parts.filter((name) => name !== '')
  const sortNames = values(sorts) ?? []
  const identifiers = (values(ids) ?? []).flatMap((id) => id.split(/[/;,\s]+/)).filter((id) => id !== '')
  const all = people.map((name, index) =>
    defined({
      name,
      sortName:
        people.length === sortNames.length
          ? cleanText(sortNames[index] ?? '', 1_000) || undefined
          : undefined,
      musicBrainzId: people.length === identifiers.length ? identifiers[index]?.slice(0, 64) : undefined,
    }),
  )
  return all.filter((one, index) => all.findIndex((other) => other.name === one.name) === index).slice(0, 100)
}

/** "A feat. B", "A; B" and "A / B" are two people each; "AC/DC", "A & B" and "A, B" may be one. */
function splitCredit(text: string): string[] {
  return text.split(/;|\s+\/\s+|\s+[([]?(?:feat\.?|ft\.?|featuring)\s+/i).map((part, index, all) => {
    const opened = index > 0 && /[([]/.test(text) && !/[([]/.test(part)
    return opened && index === all.length - 1 ? part.replace(/[)\]]\s*$/, '') : part
  })
}

/**
 * The one line in which the file credits several people, where it says more than their names joined: `A feat. B` does,
 * and `A; B` is a list.
 */
export function display(
  values: readonly string[] | undefined,
  people: readonly Credit[],
): string | undefined {
  if (values?.length !== 1 || people.length < 2) return undefined
  const line = cleanText(values[0] ?? '', 4_000)
  const names = people.map(({ name }) => name).join(', ')
  return line === '' || line.split(/\s*;\s*/).join(', ') === names ? undefined : line
}

const roles = [
  'CONDUCTOR',
  'LYRICIST',
  'REMIXER',
  'ARRANGER',
  'PRODUCER',
  'ENGINEER',
  'MIXER',
  'DJMIXER',
  'DIRECTOR',
  'WRITER',
] as const

/** Everyone else: one field a role, and performers with their instruments. */
export function contributors(fields: Fields): Tags['contributors'] {
  const found: Tags['contributors'] = []
  const add = (role: string, text: string, subRole?: string) => {
    const name = cleanText(text, 1_000)
    const instrument = cleanText(subRole ?? '', 200).toLowerCase()
    if (name !== '' && found.length < 200)
      found.push({ name, role, ...(instrument ? { subRole: instrument } : {}) })
  }
  for (const role of roles) for (const text of fields.get(role) ?? []) add(role.toLowerCase(), text)
  for (const [field, values] of fields) {
    if (field.startsWith('PERFORMER:')) for (const text of values) add('performer', text, field.slice(10))
  }
  for (const text of fields.get('PERFORMER') ?? []) {
    const [, name, instrument] = /^(.*?)\s*\(([^()]*)\)\s*$/s.exec(text) ?? []
    add('performer', name || text, name ? instrument : undefined)
  }
  return found
}
