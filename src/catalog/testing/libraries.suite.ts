import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { makeMusicFolder } from '../../../test/fixtures/make.ts'
import { isCoded } from '../../protocol/errors.ts'
import { addLibrary, changeLibrary, listLibraries, reconcileLibraries, removeLibrary } from '../libraries.ts'
import { openCatalog } from './shared.ts'

test('[S4] a library is a folder that can be read and shares nothing with others', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  const { store, folder } = catalog
  await mkdir(join(music.path, 'one/deep'), { recursive: true })
  await mkdir(join(music.path, 'two'))
  await music.write('file', 'x')
  await symlink(join(music.path, 'one/deep'), join(music.path, 'link'))
  const add = (path: string) => addLibrary(store, { path, node: null, forbidden: [folder] })
  const refused = async (path: string, code: 'LIBRARY_NESTED' | 'LIBRARY_NOT_A_FOLDER') =>
    await assert.rejects(add(path), (error) => isCoded(error, code))

  const { library } = await add(`${music.path}/one/`)
  assert.deepEqual([library.name, library.path, library.visibleTo], ['one', `${music.path}/one`, 'everyone'])
  await refused(join(music.path, 'one'), 'LIBRARY_NESTED')
  await refused(join(music.path, 'one/deep'), 'LIBRARY_NESTED')
  await refused(join(music.path, 'link'), 'LIBRARY_NESTED')
  await refused(music.path, 'LIBRARY_NESTED')
  await refused('/', 'LIBRARY_NESTED')
  await refused(folder, 'LIBRARY_NESTED')
  await refused(join(music.path, 'nowhere'), 'LIBRARY_NOT_A_FOLDER')
  await refused(join(music.path, 'file'), 'LIBRARY_NOT_A_FOLDER')
  await refused('relative', 'LIBRARY_NOT_A_FOLDER')
  await refused('/zero\0', 'LIBRARY_NOT_A_FOLDER')
  await add(join(music.path, 'two'))
  assert.equal((await listLibraries(store)).length, 2)
})

test('a library is renamed and shown to some', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  const { id } = await catalog.addLibrary(music.path)
  const user = crypto.randomUUID()
  await changeLibrary(catalog.store, id, { name: 'Ours' })
  const { library } = await changeLibrary(catalog.store, id, { visibleTo: [user] })
  assert.deepEqual([library.name, library.visibleTo], ['Ours', [user]])
  await assert.rejects(changeLibrary(catalog.store, crypto.randomUUID(), {}), (error) =>
    isCoded(error, 'NOT_FOUND'),
  )
})

test('a removed library leaves nothing behind, and brings its tracks back under their ids', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  for (const title of ['a', 'b']) await music.add(`${title}.mp3`, { title, album: title })
  await music.write('empty.mp3', '')
  const { id } = await catalog.addLibrary(music.path)
  await catalog.scanner.scan()
  const before = (await catalog.tracks()).map((track) => [track.id, track.album])
  await removeLibrary(catalog.store, id)
  assert.deepEqual(await catalog.tracks(), [])
  assert.deepEqual(await catalog.problems(), {})
  assert.deepEqual(await listLibraries(catalog.store), [])
  await catalog.addLibrary(music.path)
  await catalog.scanner.scan()
  assert.deepEqual(
    (await catalog.tracks()).map((track) => [track.id, track.album]),
    before,
  )
  await assert.rejects(removeLibrary(catalog.store, id), (error) => isCoded(error, 'NOT_FOUND'))
})

test('folders of the command line become libraries once, also before their disk is mounted; what cannot be one is said', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  const away = join(dirname(music.path), 'away')
  const file = await music.write('a-file', 'x')
  const folders = [join(music.path, 'here'), away, file]
  await mkdir(join(music.path, 'here'))
  const failed = await reconcileLibraries(catalog.store, null, folders, [])
  assert.deepEqual(
    failed.map(({ path, error }) => [path, error.code]),
    [
      [away, 'LIBRARY_GONE'],
      [file, 'LIBRARY_NOT_A_FOLDER'],
    ],
  )
  await reconcileLibraries(catalog.store, null, folders, [])
  const paths = (await listLibraries(catalog.store)).map(({ path }) => path)
  assert.deepEqual(paths.toSorted(), [away, join(music.path, 'here')].toSorted())
  await catalog.scanner.scan()
  assert.deepEqual(await catalog.problems(), { '': 'LIBRARY_GONE' })
})

test('folders of one name become libraries of different names', async () => {
  await using music = await makeMusicFolder()
  await using catalog = await openCatalog()
  const folders = ['ada/music', 'bob/music', 'b/ada/music'].map((path) => join(music.path, path))
  for (const folder of folders) await mkdir(folder, { recursive: true })
  const names = []
  for (const path of folders)
    names.push((await addLibrary(catalog.store, { path, node: null, forbidden: [] })).library.name)
  assert.deepEqual(names, ['music', 'bob/music', 'ada/music'])
})
