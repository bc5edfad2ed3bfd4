import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { accountsProjection } from '../../src/accounts/create.ts'
import { openIndex } from '../../src/index/index.ts'
import { listeningProjection } from '../../src/listening/create.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'

/**
 * Makes the index of a node's data folder out of its facts, so that the node need not: `node prepare.ts <folder>`. The
 * files of the made-up music are nowhere, so the monthly check of all files is said to be done: it would look for each
 * of them in vain while the node is measured.
 */
const [folder = ''] = process.argv.slice(2)
const path = join(folder, 'index.db')
const catalogProjection = new URL('../../src/catalog/index/projection.ts', import.meta.url)

await using store = await openSqliteStore(join(folder, 'store.db'))
await using index = await openIndex({
  path,
  store,
  projections: [accountsProjection, catalogProjection, listeningProjection],
})
while (index.progress.state !== 'following') await pause(20)
await index.waitFor((await store.status()).revision)
const now = Date.now()
const checked = { startedAt: now, finishedAt: now, items: 0, bytes: 0, corrupt: 0, healed: 0 }
await writeFile(join(folder, 'scrub.json'), JSON.stringify(checked))
if (!existsSync(path)) throw new Error('There is no index')
