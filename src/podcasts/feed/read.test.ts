import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { feedOf, item } from '../../../test/harness/podcast.ts'
import { isCoded } from '../../protocol/errors.ts'
import { feedHead, feedItem } from '../../protocol/facts/podcasts.ts'
import { parseFeed } from './parse.ts'
import { readFeed } from './read.ts'

const base = 'https://pod.example/shows/feed.xml'
const signal = () => AbortSignal.timeout(60_000)
const read = (bytes: Buffer | string, charset?: string) =>
  readFeed([Buffer.from(bytes)], { base, ...(charset !== undefined && { charset }) }, signal())

/** What is read of items, without a child: that is what the other tests are for. */
function items(...written: readonly string[]) {
  const feed = parseFeed(feedOf('A show', written), base)
  assert.ok(feed)
  return feed.items
}

test('[S1] a child reads a feed with all that iTunes added, packed or not, in the encoding that it names', async () => {
  const more = `<itunes:author>Ana &amp; Bo</itunes:author><itunes:duration>1:02:03</itunes:duration>
    <itunes:season>2</itunes:season><itunes:episode>7</itunes:episode><itunes:explicit>yes</itunes:explicit>
    <itunes:image href="/art/7.jpg"/><pubDate>Tue, 10 Jun 2003 04:00:00 GMT</pubDate>
    <description><![CDATA[<p>One <b>two</b> &amp; <script>alert(1)</script>three</p><ul><li>four</ul>]]></description>`
  const head = `<description>About &lt;i&gt;it&lt;/i&gt;</description><itunes:image href="cover.png"/>
    <image><url>small.png</url><title>Not the title</title></image>`
  const seventh = item('g-7', 'The 7th', 'http://cdn.example/7.mp3', more).replace(
    'length="1"',
    'length="123456"',
  )
  const xml = feedOf('Café &amp; <![CDATA[more]]>', [seventh], head)
  const expected = {
    head: { title: 'Café & more', description: 'About it', imageUrl: 'https://pod.example/shows/cover.png' },
    items: [
      {
        guid: 'g-7',
        title: 'The 7th',
        description: 'One two & three\n\n• four',
        author: 'Ana & Bo',
        publishedAt: Date.UTC(2003, 5, 10, 4),
        durationMs: 3_723_000,
        number: 7,
        season: 2,
        explicit: true,
        imageUrl: 'https://pod.example/art/7.jpg',
        audio: { url: 'http://cdn.example/7.mp3', mediaType: 'audio/mpeg', size: 123_456 },
      },
    ],
  }
  assert.deepEqual(await read(xml), expected)
  assert.deepEqual(await read(gzipSync(xml)), expected)
  const latin = Buffer.from(xml.replace('UTF-8', 'ISO-8859-1'), 'latin1')
  assert.deepEqual(await read(latin), expected)
  const undeclared = Buffer.from(xml.replace(/<\?xml.*?\?>/, ''), 'latin1')
  assert.deepEqual(await read(undeclared, 'iso-8859-1'), expected)
  const wide = Buffer.from(`\ufeff${xml.replace('UTF-8', 'UTF-16')}`, 'utf16le')
  assert.deepEqual(await read(wide), expected)
})

test('what is no feed is refused, and what would unfold without end unfolds nothing', async () => {
  const refused = (error: unknown) => isCoded(error, 'FEED_UNREADABLE')
  for (const other of ['', 'hello', '<html><body>A page</body></html>', '{"version":1}', '\u0000\u0001'])
    await assert.rejects(read(other), refused, other)
  await assert.rejects(read(Buffer.from([0x1f, 0x8b, 0, 1, 2])), refused, 'damaged gzip')
  await assert.rejects(read(gzipSync(Buffer.alloc(64 * 1_048_576, 32))), refused, 'a bomb of gzip')
  const nested = `<rss><channel>${'<a>'.repeat(100_000)}`
  await assert.rejects(read(nested), refused, 'too deep')
  const laughs = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">
    <!ENTITY f SYSTEM "file:///etc/passwd">]>`
  const { head, items } = await read(
    laughs + feedOf('&b;&f;', [item('g', 'x &b; y', 'a.mp3')]).replace(/<\?xml.*?\?>/, ''),
  )
  assert.equal(head.title, '&b;&f;')
  assert.equal(items[0]?.title, 'x &b; y')
})

test('a feed of thousands of episodes is read, the newest of them, and its texts are cut', async () => {
  const long = 'word '.repeat(5_000)
  const many = Array.from({ length: 6_000 }, (_, at) =>
    item(
      `g${at}`,
      `Episode ${at}`,
      `${at}.mp3`,
      `<pubDate>${new Date(at * 86_400_000).toUTCString()}</pubDate>`,
    ),
  )
  many.push(item('last', long, 'last.mp3', `<description>${long}</description>`))
  const feed = await read(feedOf('Long', many))
  assert.equal(feed.items.length, 5_000)
  assert.equal(feed.items[0]?.guid, 'g5999')
  const cut = items(item('last', long, 'last.mp3', `<description>${long}</description>`))[0]
  assert.ok(cut && cut.title.length <= 1_000 && (cut.description?.length ?? 0) <= 8_000)
  assert.match(cut.title, /word…$/)
})

test('dates, lengths and numbers are read as they are written, or left out', () => {
  const dated = (date: string) => items(item('g', 't', 'a.mp3', `<pubDate>${date}</pubDate>`))[0]?.publishedAt
  const noon = Date.UTC(2020, 8, 2, 12)
  for (const date of [
    'Wed, 02 Sep 2020 12:00:00 +0000',
    'Wed, 2 Sep 2020 14:00 +0200',
    'Mi, 02 Sep 2020 12:00:00 GMT',
    'Wednesday, 02 Sept 2020 07:00:00 EST',
    'Wed, 02 Sep 2020 14:00:00 CEST',
    '02 Sep 2020 21:00:00 jst',
    'Wed, 02 Sep 2020 12:00:00 Europe/Nowhere',
    '2020-09-02T12:00:00Z',
  ])
    assert.equal(dated(date), noon, date)
  for (const date of ['', 'yesterday', 'Wed, 99 Foo 2020', '-1']) assert.equal(dated(date), undefined, date)
  const lasting = (text: string) =>
    items(item('g', 't', 'a.mp3', `<itunes:duration>${text}</itunes:duration>`))[0]?.durationMs
  assert.deepEqual(['61', '62:03', '1:02:03', '1:02:03.5', '', 'an hour', '-3'].map(lasting), [
    61_000,
    3_723_000,
    3_723_000,
    3_723_500,
    undefined,
    undefined,
    undefined,
  ])
  const [numbered] = items(item('g', 't', 'a.mp3', '<itunes:episode>x1</itunes:episode>'))
  assert.equal(numbered?.number, undefined)
})

test('episodes are told apart, whatever a feed does with its guids', () => {
  const bare = '<item><title>Bare</title><enclosure url="bare.mp3"/></item>'
  const found = items(
    item('same', 'New', '2.mp3'),
    item('same', 'Old', '1.mp3'),
    item('own', 'Third', '3.mp3'),
    item('own', 'Third again', '3.mp3'),
    bare,
    '<item><guid>text</guid><title>Only text</title></item>',
    '<item><guid>mail</guid><title>Mail</title><enclosure url="mailto:me@example.org"/></item>',
    '<item><guid>empty</guid><title>Empty</title><enclosure url=""/></item>',
  )
  assert.deepEqual(
    found.map(({ guid, title }) => [guid, title]),
    [
      ['https://pod.example/shows/2.mp3', 'New'],
      ['https://pod.example/shows/1.mp3', 'Old'],
      ['https://pod.example/shows/3.mp3', 'Third'],
      ['https://pod.example/shows/bare.mp3', 'Bare'],
    ],
  )
})

test('text is plain, whether HTML was meant or not', () => {
  const title = (text: string) => items(item('g', text, 'a.mp3'))[0]?.title
  assert.equal(title('&lt;b&gt;Bold&lt;/b&gt; &amp;amp; more'), 'Bold & more')
  assert.equal(title('1 &lt; 2 &amp; 3'), '1 < 2 & 3')
  assert.equal(title('  two\n  lines\u0007 '), 'two lines')
  assert.equal(title(''), 'a.mp3')
  assert.equal(title('Q&A'), 'Q&A')
})

test('Atom is read likewise, and of several sounds and films the sound', () => {
  const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>Atomic</title><subtitle>Of it</subtitle>
    <entry><id>tag:1</id><title>One</title><updated>2020-09-02T12:00:00Z</updated><summary>Sum</summary>
    <link rel="alternate" href="page.html"/>
    <link rel="enclosure" type="video/mp4" href="1.mp4"/><link rel="enclosure" type="audio/mpeg" href="1.mp3"/>
    </entry></feed>`
  assert.deepEqual(parseFeed(atom, base), {
    head: { title: 'Atomic', description: 'Of it' },
    items: [
      {
        guid: 'tag:1',
        title: 'One',
        description: 'Sum',
        publishedAt: Date.UTC(2020, 8, 2, 12),
        audio: { url: 'https://pod.example/shows/1.mp3', mediaType: 'audio/mpeg' },
      },
    ],
  })
})

test('whoever waits for a feed can leave', async () => {
  const reason = new Error('enough')
  await assert.rejects(readFeed([Buffer.from('x')], { base }, AbortSignal.abort(reason)), reason)
})

test('whatever a feed says, what is read of it can be written down and shown', () => {
  const names = [
    'title',
    'guid',
    'description',
    'pubDate',
    'itunes:duration',
    'itunes:episode',
    'itunes:author',
  ]
  const written = fc.oneof(
    anyText({ maxLength: 40 }),
    fc.constantFrom(
      '<',
      '>',
      '&',
      '&lt;',
      '<![CDATA[',
      ']]>',
      '<!--',
      '<!DOCTYPE a [',
      '&#0;',
      '&#xd800;',
      '-1',
      '99',
    ),
    fc.constantFrom('1:99:99', '24', 'Mon, 01 Jan 0000', '+275760-09-13T00:00:00Z', 'a'.repeat(5_000)),
  )
  const element = fc.tuple(fc.constantFrom(...names), fc.array(written, { maxLength: 3 }))
  // As fc.webUrl is, whose path would first make a table of all code points.
  const path = fc.array(anyText({ maxLength: 10 }), { maxLength: 3 })
  const url = fc
    .tuple(fc.constantFrom('http', 'https'), fc.webAuthority(), path)
    .map(([scheme, authority, segments]) =>
      [`${scheme}://${authority}`, ...segments.map((text) => encodeURIComponent(text.toWellFormed()))].join(
        '/',
      ),
    )
  const address = fc.oneof(url, anyText({ maxLength: 30 }), fc.constantFrom('//', 'http:///', '?', '#', '/%'))
  const entry = fc
    .tuple(address, written, fc.array(element, { maxLength: 6 }))
    .map(([url, length, elements]) => {
      const quoted = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
      const texts = elements.map(([name, parts]) => `<${name}>${parts.join('')}</${name}>`).join('')
      return `<item><enclosure url="${quoted(url)}" length="${quoted(length)}"/>${texts}</item>`
    })
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), written, (entries, title) => {
      const feed = parseFeed(feedOf(title, entries), base)
      if (feed === null) return
      feedHead.parse(feed.head)
      for (const each of feed.items) feedItem.parse(each)
      assert.equal(new Set(feed.items.map(({ guid }) => guid)).size, feed.items.length)
    }),
    { numRuns: 300 },
  )
})
