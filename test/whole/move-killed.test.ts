import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { moveContract, type Place } from '../../src/store/move-contract.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'

describe('moving facts', () => {
  let folder: string
  let made = 0
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hocket-move-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function place(): Promise<Place> {
    made += 1
    const path = join(folder, `${made}.db`)
    return { place: path, open: () => openSqliteStore(path) }
  }
  moveContract('from SQLite to SQLite', place, place)
})
