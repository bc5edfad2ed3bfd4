import { openSqliteStore } from './sqlite.ts'

/**
 * A process that writes until it is killed, and tells its parent of each acknowledged transaction. Each writes the
 * same number to two keys, so that half a transaction would show.
 */
const { path, round } = await new Promise<{ path: string; round: number }>((resolve) => {
  process.once('message', resolve)
})
const store = await openSqliteStore(path)
const text = new TextEncoder()

await Promise.all(
  Array.from({ length: 8 }, async (_, lane) => {
    for (let each = 0; ; each += 1) {
      const key = `${round}/${lane}/${each % 20}`
      const value = text.encode(String(each))
      const writes = [
        { key: `a/${key}`, value },
        { key: `b/${key}`, value },
      ]
      const outcome = await store.commit({ conditions: [], writes })
      if (outcome.ok) process.send?.({ key, value: String(each) })
    }
  }),
)
