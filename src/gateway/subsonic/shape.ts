import type { Content, Scalar } from './content.ts'
import { attributeOf, textElement } from './xml.ts'

/**
 * What items of one kind say, field by field. From that one description they are written in JSON and in XML without an
 * object in between, which is what a page of 500 of them costs little by; and content is made, where something is added.
 * An item written is its content written: `shape.test.ts` holds them together.
 */
export interface Shape<Item> {
  content(item: Item): Content
  json(item: Item): string
  /** As an element of that name. */
  xml(element: string, item: Item): string
}

/** A field with parts. Its writers answer an empty text where there is nothing to write. */
export interface Part<Item> {
  content(item: Item): Content[string]
  json(item: Item): string
  xml(name: string, item: Item): string
}

/** What every item says alike stands as it is. */
export type Field<Item> = Scalar | ((item: Item) => Scalar | undefined) | Part<Item>

/** How an attribute begins, and what comes then; undefined where it is whole already. */
interface Attribute<Item> {
  readonly start: string
  readonly read: ((item: Item) => Scalar | undefined) | undefined
}

export function shape<Item>(fields: Readonly<Record<string, Field<Item>>>): Shape<Item> {
  const all = Object.entries(fields)
  const labelled = all.map(([name, field]) => {
    const first = `${JSON.stringify(name)}:${isScalar(field) ? scalarOf(field) : ''}`
    return { first, next: `,${first}`, field }
  })
  const attributes = all.flatMap(([name, field]): Attribute<Item>[] => {
    if (isScalar(field)) return [{ start: ` ${name}="${attributeOf(String(field))}"`, read: undefined }]
    return typeof field === 'function' ? [{ start: ` ${name}="`, read: field }] : []
  })
  const elements = all.flatMap(([name, field]) => (typeof field === 'object' ? [{ name, field }] : []))
  return {
    content: (item) =>
      Object.fromEntries(
        all.map(([name, field]) => {
          if (isScalar(field)) return [name, field]
          return [name, typeof field === 'function' ? field(item) : field.content(item)]
        }),
      ),
    json(item) {
      let text = ''
      for (const { first, next, field } of labelled) {
        if (isScalar(field)) text += text === '' ? first : next
        else {
          const value = typeof field === 'function' ? scalarOf(field(item)) : field.json(item)
          if (value !== '') text += (text === '' ? first : next) + value
        }
      }
      return `{${text}}`
    },
    xml(element, item) {
      let text = `<${element}`
      for (const { start, read } of attributes) {
        if (read === undefined) {
          text += start
          continue
        }
        const value = read(item)
        if (value === undefined) continue
        text += typeof value === 'string' ? `${start}${attributeOf(value)}"` : `${start}${value}"`
      }
      let inside = ''
      for (const { name, field } of elements) inside += field.xml(name, item)
      return inside === '' ? `${text}/>` : `${text}>${inside}</${element}>`
    },
  }
}

/** A field that lists parts, each as `of` writes it. */
export function list<Item, Each>(
  of: Shape<Each>,
  read: (item: Item) => readonly Each[] | undefined,
): Part<Item> {
  return {
    content: (item) => read(item)?.map(of.content),
    json(item) {
      const parts = read(item)
      if (parts === undefined) return ''
      let text = ''
      for (const part of parts) text += text === '' ? of.json(part) : `,${of.json(part)}`
      return `[${text}]`
    },
    xml(name, item) {
      let text = ''
      for (const part of read(item) ?? []) text += of.xml(name, part)
      return text
    },
  }
}

/** A field that lists texts. */
export function texts<Item>(read: (item: Item) => readonly string[] | undefined): Part<Item> {
  return {
    content: read,
    json(item) {
      const values = read(item)
      return values === undefined ? '' : `[${values.map(quoted).join(',')}]`
    },
    xml: (name, item) => (read(item) ?? []).map((value) => textElement(name, value)).join(''),
  }
}

/** A field of parts of its own, where there is one. */
export function part<Item, Inner>(of: Shape<Inner>, read: (item: Item) => Inner | undefined): Part<Item> {
  return {
    content(item) {
      const inner = read(item)
      return inner === undefined ? undefined : of.content(inner)
    },
    json(item) {
      const inner = read(item)
      return inner === undefined ? '' : of.json(inner)
    },
    xml(name, item) {
      const inner = read(item)
      return inner === undefined ? '' : of.xml(name, inner)
    },
  }
}

function isScalar<Item>(field: Field<Item>): field is Scalar {
  return typeof field !== 'function' && typeof field !== 'object'
}

function scalarOf(value: Scalar | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? quoted(value) : String(value)
}

/** What JSON writes otherwise than it stands, or may have to: most text has nothing of it. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

function quoted(text: string): string {
  return special.test(text) ? JSON.stringify(text) : `"${text}"`
}
