import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tags } from '../protocol/facts/catalog.ts'
import { derivedId } from '../store/derived-id.ts'
import { albumFolder, albumIdentity, artistId, bornTrackId, folderContexts, foldName } from './identity.ts'

const library = derivedId('test')
const people = (...names: string[]) => names.map((name) => ({ name }))

function tags(more: Partial<Tags> = {}): Tags {
  const none = {
    artists: [],
    albumArtists: [],
    genres: [],
    moods: [],
    composers: [],
    contributors: [],
    labels: [],
  }
  const rest = {
    works: [],
    releaseTypes: [],
    isrcs: [],
    compilation: false,
    embeddedLyrics: false,
    embeddedCover: false,
  }
  return { title: 'x', ...none, ...rest, musicBrainz: {}, ...more }
}
const identity = (more: Partial<Tags>, folder = '') => albumIdentity(tags(more), { library, folder })

test('ids are the same for ever: playlists, stars and other nodes rely on them', () => {
  assert.equal(derivedId('hocket'), '34197a4d-3a9e-58d5-a788-d0dc79391ced')
  assert.equal(artistId({ name: 'Ann  Lee' }), artistId({ name: 'ANN LEE' }))
  assert.notEqual(artistId({ name: 'Ann Lee' }), artistId({ name: 'Ann Lee', musicBrainzId: 'id' }))
  assert.equal(
    artistId({ name: 'One', musicBrainzId: 'ID' }),
    artistId({ name: 'Other', musicBrainzId: 'id' }),
  )
  assert.notEqual(bornTrackId('a'.repeat(32)), bornTrackId('a'.repeat(32), 'salt'))
})

test('names are one whatever their case, width, spaces and quotes, and two where a letter differs', () => {
  assert.equal(foldName('  Guns N’ Roses '), foldName("GUNS N' ROSES"))
  assert.equal(foldName('ＡＢＣ'), foldName('abc'))
  assert.notEqual(foldName('Mana'), foldName('Maná'))
})

test('an album is its release, else artist, name and version, else its folder', () => {
  const release = { musicBrainz: { release: 'R' } }
  assert.equal(identity({ ...release, album: 'A' }), identity({ ...release, album: 'B' }))
  const album = { album: 'A', albumArtists: people('X') }
  assert.equal(identity(album, 'one'), identity({ ...album, album: 'a' }, 'two'))
  assert.notEqual(identity(album), identity({ ...album, albumVersion: 'Deluxe' }))
  assert.notEqual(identity(album), identity({ ...album, albumArtists: people('Y') }))
  assert.notEqual(identity({}, 'one'), identity({}, 'two'))
  assert.equal(identity({ artists: people('Z') }, 'one'), identity({}, 'one'))
})

test('folders named for discs belong to the folder above', () => {
  const cases = {
    'A/CD1/x.mp3': 'A',
    'A/Disc 2 - Live/x.mp3': 'A',
    'A/disk_03/x.mp3': 'A',
    'A/Vinyl B/x.mp3': 'A',
    'A/CD Collection/x.mp3': 'A/CD Collection',
    'A/Disco 2000/x.mp3': 'A/Disco 2000',
    'CD1/x.mp3': '',
    'x.mp3': '',
  }
  for (const [path, folder] of Object.entries(cases)) assert.equal(albumFolder(path), folder, path)
})

test('files that leave the album artist open take what their folder says', () => {
  const of = (...files: Tags[]) => {
    const contexts = folderContexts(library, 'f', files)
    return files.map((file, at) => albumIdentity(file, contexts[at] ?? { library, folder: 'f' }))
  }
  const by = (artist: string, more: Partial<Tags> = {}) =>
    tags({ album: 'A', artists: people(artist), ...more })
  const count = (...files: Tags[]) => new Set(of(...files)).size
  assert.equal(count(by('X'), by('X'), by('X & Y')), 1)
  assert.equal(count(by('X'), by('Y'), by('Z')), 1)
  assert.equal(count(by('X'), by('Y', { albumArtists: people('V') })), 1)
  assert.equal(count(by('X'), by('X', { musicBrainz: { release: 'R' } })), 1)
  assert.equal(
    count(by('X', { musicBrainz: { release: 'R' } }), by('X', { musicBrainz: { release: 'S' } })),
    2,
  )
  assert.equal(of(by('X'), by('Y'))[0], of(by('Z', { compilation: true }))[0])
})
