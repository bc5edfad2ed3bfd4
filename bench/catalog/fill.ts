import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { albumParts, libraries } from '../../src/catalog/facts.ts'
import { type Operation, join as together } from '../../src/store/collection.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { library, openGenerator } from './generate.ts'

/** Writes the facts of a made-up catalog into a store: `node fill.ts <folder> <tracks>`. */
const [folder = '', tracks = '0'] = process.argv.slice(2)
const path = join(folder, 'store.db')
/** Facts in a transaction. */
const atOnce = 100

if (!existsSync(path)) {
  await mkdir(folder, { recursive: true })
  {
    await using store = await openSqliteStore(`${path}.new`)
    const fact = {
      id: library,
      name: 'Bench',
      kind: 'folder',
      path: '/music',
      visibleTo: 'everyone',
      createdAt: 1,
    } as const
    let operations: Operation[] = [libraries.create(library, fact)]
    for (const part of openGenerator(7).albums(Number(tracks))) {
      operations.push(albumParts.create(`${part.album}/000`, part))
      if (operations.length < atOnce) continue
      await store.commit(together(...operations))
      operations = []
    }
    if (operations.length > 0) await store.commit(together(...operations))
  }
  await rename(`${path}.new`, path)
}
