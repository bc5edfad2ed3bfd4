import { type Content, isFlow, isList, isWritten, text, type Value } from './content.ts'

/** A value as JSON, with what has been written already as it stands. */
export function jsonOf(value: Value): string {
  if (typeof value !== 'object' || isList(value)) return JSON.stringify(value)
  if (isWritten(value)) return value[text]
  if (isFlow(value)) throw new TypeError('it is written as it comes')
  if (!holdsWritten(value)) return JSON.stringify(value)
  const parts = Object.entries(value).flatMap(([name, part]) =>
    part === undefined ? [] : `${JSON.stringify(name)}:${jsonOf(part)}`,
  )
  return `{${parts.join(',')}}`
}

/** Such lists stand at the top of an answer, never in an item of another list. */
function holdsWritten(content: Content): boolean {
  return Object.values(content).some(
    (part) =>
      typeof part === 'object' && !isList(part) && !isFlow(part) && (isWritten(part) || holdsWritten(part)),
  )
}
