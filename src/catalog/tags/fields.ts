import type { Value } from './messagepack.ts'

/** The fields of a file by name, in capitals and without `_`, space and `-`; each with its values in order. */
export type Fields = ReadonlyMap<string, readonly string[]>

/** TagLib's answer as fields. It names some in camel case, some as the file does. */
export function fieldsOf(answer: ReadonlyMap<string, Value>): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const [key, value] of answer) {
    const texts = (Array.isArray(value) ? value : [value]).flatMap(textOf)
    if (texts.length === 0) continue
    const name = fieldName(key)
    const known = fields.get(name)
    if (known) known.push(...texts)
    else fields.set(name, texts)
  }
  return fields
}

function fieldName(key: string): string {
  const [name = '', ...rest] = key.toUpperCase().split(':')
  const plain = name.replace(/[_\s-]+/g, '')
  return rest.length === 0 ? plain : `${plain}:${rest.join(':')}`
}

function textOf(value: Value): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)]
  return []
}
