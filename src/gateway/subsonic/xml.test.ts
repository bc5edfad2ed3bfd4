import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/fixtures/text.ts'
import { assertSame, parseXml } from './testing/xml.ts'
import { xmlOf } from './xml.ts'

const body = (xml: string) => xml.split('\n')[1]

test('what is simple is an attribute, what has parts an element, and a list one element for each item', () => {
  const song = {
    id: 'a',
    isDir: false,
    track: 3,
    year: undefined,
    genres: [{ name: 'Rock' }],
    moods: ['Calm', 'Sad'],
  }
  assert.equal(
    body(xmlOf('song', { ...song, replayGain: { trackGain: -1.5 }, artists: [] })),
    '<song id="a" isDir="false" track="3"><genres name="Rock"/><moods>Calm</moods><moods>Sad</moods>' +
      '<replayGain trackGain="-1.5"/></song>',
  )
})

test('a value is the text of its element, and descriptions are elements throughout', () => {
  assert.equal(
    body(xmlOf('genre', { songCount: 1, value: 'R & B' })),
    '<genre songCount="1">R &amp; B</genre>',
  )
  assert.equal(
    body(xmlOf('artistInfo2', { musicBrainzId: 'x', similarArtist: [{ id: 'y' }] })),
    '<artistInfo2><musicBrainzId>x</musicBrainzId><similarArtist id="y"/></artistInfo2>',
  )
})

test('whatever text there is, the XML is well formed and says it, save for what XML cannot hold', () => {
  const speakable = (text: string) =>
    text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
  const anything = anyText({ maxLength: 30 })
  fc.assert(
    fc.property(anything, anything, anything, (attribute, value, item) => {
      const xml = xmlOf('root', { attribute, list: [item], genre: { value } })
      const expected = {
        attribute: speakable(attribute),
        list: [speakable(item)],
        genre: { value: speakable(value) },
      }
      assertSame(parseXml(xml), expected)
    }),
    { numRuns: 500 },
  )
  assert.equal(body(xmlOf('a', { b: '\ud800x\u0000\u001b\uffff' })), '<a b="x"/>')
})
