import assert from 'node:assert/strict'

/** An element as it was read. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  readonly text: string
}

const attribute = /\s+([\w:]+)="([^"<]*)"/y
const tag = /<(\/?)([\w:-]+)((?:\s+[\w:]+="[^"<]*")*)\s*(\/?)>/y

/** Reads XML as strictly as the tests need it: whatever is not well formed throws. */
export function parseXml(xml: string): Element {
  const head = '<?xml version="1.0" encoding="UTF-8"?>'
  assert.ok(xml.startsWith(head), 'the XML declaration is missing')
  assert.match(
    xml,
    /^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u,
    'characters that XML cannot hold',
  )
  const source = xml.slice(head.length).trim()
  let at = 0

  function read(): Element {
    const [, closing, name = '', attributes = '', empty] = match(tag)
    assert.equal(closing, '', `an element ends that has not begun: ${name}`)
    const known = attributesOf(attributes)
    if (empty === '/') return { name, attributes: known, children: [], text: '' }
    const children: Element[] = []
    let text = ''
    while (!source.startsWith('</', at)) {
      if (source[at] === '<') children.push(read())
      else {
        const next = source.indexOf('<', at)
        assert.notEqual(next, -1, `${name} does not end`)
        text += unescaped(source.slice(at, next))
        at = next
      }
    }
    assert.equal(match(tag)[2], name)
    return { name, attributes: known, children, text }
  }

  function match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    assert.ok(found, `not well formed at: ${source.slice(at, at + 80)}`)
    at = pattern.lastIndex
    return found
  }

  const root = read()
  assert.equal(at, source.length, 'something follows the root element')
  return root
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(new RegExp(attribute.source, 'g'))) {
    assert.ok(!Object.hasOwn(attributes, name), `the attribute ${name} stands twice`)
    attributes[name] = unescaped(value)
  }
  return attributes
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

function unescaped(text: string): string {
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1]
    const found = code === undefined ? entities[name] : String.fromCodePoint(Number(code))
    assert.ok(found !== undefined, `unknown entity ${whole}`)
    return found
  })
}

/** Throws unless the element says the same as the JSON, whichever way XML says it. */
export function assertSame(element: Element, json: unknown, path = element.name): void {
  assert.ok(typeof json === 'object' && json !== null, `${path} is an object`)
  const expected = new Set<string>()
  for (const [name, value] of Object.entries(json)) {
    expected.add(name)
    const children = element.children.filter((child) => child.name === name)
    if (Array.isArray(value)) {
      assert.equal(children.length, value.length, `${path}.${name}: as many elements as items`)
      for (const [at, child] of children.entries()) assertValue(child, value[at], `${path}.${name}`)
    } else if (typeof value === 'object') {
      const [child] = children
      assert.ok(child, `${path}.${name} is missing`)
      assertValue(child, value, `${path}.${name}`)
    } else {
      const isText = name === 'value' && element.children.length === 0
      const written = isText ? element.text : (element.attributes[name] ?? children[0]?.text)
      assert.equal(written, String(value), `${path}.${name}`)
    }
  }
  const written = [...Object.keys(element.attributes), ...element.children.map(({ name }) => name)]
  for (const name of written)
    assert.ok(expected.has(name) || name === 'xmlns', `${path}.${name} is not in the JSON`)
}

function assertValue(element: Element, value: unknown, path: string): void {
  if (typeof value === 'object') assertSame(element, value, path)
  else assert.equal(element.text, String(value), path)
}
