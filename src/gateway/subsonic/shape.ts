import type { Content, Scalar } from './content.ts'
import { attributeOf, textElement } from './xml.ts'

/**
 * What items of one kind say, field by field. From that one description they are written in JSON and in XML without an
 * object in between, which is what a page of 500 of them costs little by; and content is made, where something is added.
 * An item written is its content written: `shape.test.ts` holds them together.
 */
export interface Shape<Item> {
  content(item: Item): Content
  openJson(): Writer<Item>
  /** As elements of that name. */
  openXml(element: string): Writer<Item>
}

/** Writes items of one page, one after another: what it has just written it need not write again. */
export type Writer<Item> = (item: Item) => string

/** A field with parts. Its writers answer an empty text where there is nothing to write. */
export interface Part<Item> {
  content(item: Item): Content[string]
  openJson(): Writer<Item>
  openXml(name: string): Writer<Item>
}

/** What every item says alike stands as it is. */
export type Field<Item> = Scalar | ((item: Item) => Scalar | undefined) | Part<Item>

export function shape<Item>(fields: Readonly<Record<string, Field<Item>>>): Shape<Item> {
  const all = Object.entries(fields)
  return {
    content: (item) =>
      Object.fromEntries(
        all.map(([name, field]) => {
          if (isScalar(field)) return [name, field]
          return [name, typeof field === 'function' ? field(item) : field.content(item)]
        }),
      ),
    openJson() {
      const writers = all.map(([name, field]) => memberWriter(JSON.stringify(name), field))
      return (item) => {
        let text = ''
        for (const { first, next, write } of writers) {
          if (write === undefined) text += text === '' ? first : next
          else {
            const value = write(item)
            if (value !== '') text += (text === '' ? first : next) + value
          }
        }
        return `{${text}}`
      }
    },
    openXml(element) {
      const attributes = all.flatMap(([name, field]) => attributeWriter(name, field))
      const elements = all.flatMap(([name, field]) =>
        typeof field === 'object' ? [field.openXml(name)] : [],
      )
      return (item) => {
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
        for (const write of elements) inside += write(item)
        return inside === '' ? `${text}/>` : `${text}>${inside}</${element}>`
      }
    },
  }
}

/** How a member of an object begins, as the first one and as another, and what comes then. */
interface Member<Item> {
  readonly first: string
  readonly next: string
  /** Undefined where it is whole already. */
  readonly write: Writer<Item> | undefined
}

function memberWriter<Item>(name: string, field: Field<Item>): Member<Item> {
  const first = `${name}:${isScalar(field) ? scalarOf(field) : ''}`
  const next = `,${first}`
  if (isScalar(field)) return { first, next, write: undefined }
  const write: Writer<Item> = typeof field === 'function' ? (item) => scalarOf(field(item)) : field.openJson()
  return { first, next, write }
}

/** How an attribute begins, and what comes then; undefined where it is whole already. */
interface Attribute<Item> {
  readonly start: string
  readonly read: ((item: Item) => Scalar | undefined) | undefined
}

function attributeWriter<Item>(name: string, field: Field<Item>): Attribute<Item>[] {
  if (isScalar(field)) return [{ start: ` ${name}="${attributeOf(String(field))}"`, read: undefined }]
  return typeof field === 'function' ? [{ start: ` ${name}="`, read: field }] : []
}

/** A field that lists parts, each as `of` writes it. */
export function list<Item, Each>(
  of: Shape<Each>,
  read: (item: Item) => readonly Each[] | undefined,
): Part<Item> {
  return {
    content: (item) => read(item)?.map(of.content),
    openJson() {
      const write = of.openJson()
      return once(read, (parts) => {
        let text = ''
        for (const part of parts) text += text === '' ? write(part) : `,${write(part)}`
        return `[${text}]`
      })
    },
    openXml(name) {
      const write = of.openXml(name)
      return once(read, (parts) => {
        let text = ''
        for (const part of parts) text += write(part)
        return text
      })
    },
  }
}

/** A field that lists texts. */
export function texts<Item>(read: (item: Item) => readonly string[] | undefined): Part<Item> {
  return {
    content: read,
    openJson: () => once(read, (values) => `[${values.map(quoted).join(',')}]`),
    openXml: (name) => once(read, (values) => values.map((value) => textElement(name, value)).join('')),
  }
}

/** A field of parts of its own, where there is one. */
export function part<Item, Inner>(of: Shape<Inner>, read: (item: Item) => Inner | undefined): Part<Item> {
  return {
    content(item) {
      const inner = read(item)
      return inner === undefined ? undefined : of.content(inner)
    },
    openJson: () => where(read, of.openJson()),
    openXml: (name) => where(read, of.openXml(name)),
  }
}

function where<Item, Inner>(read: (item: Item) => Inner | undefined, write: Writer<Inner>): Writer<Item> {
  return (item) => {
    const inner = read(item)
    return inner === undefined ? '' : write(inner)
  }
}

/** Of a page's items many have the very same list: the artists of their album, say. It is written once. */
function once<Item, Values extends readonly unknown[]>(
  read: (item: Item) => Values | undefined,
  write: Writer<Values>,
): Writer<Item> {
  const known = new Map<Values, string>()
  return (item) => {
    const values = read(item)
    if (values === undefined) return ''
    let text = known.get(values)
    if (text === undefined) {
      text = write(values)
      known.set(values, text)
    }
    return text
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
