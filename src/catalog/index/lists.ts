import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { bytes, integer, optional } from '../../store/row.ts'
import { type Key, keyBytes, keyOf, timeKeySql } from './keys.ts'
import { openMemberFiller, openMembers } from './members.ts'

/** The lists that everyone has; genres have two each, see `albumsOfGenre`. */
export const lists = {
  albumsByName: 1,
  albumsByArtist: 2,
  albumsByYear: 3,
  albumsByTime: 4,
  tracksByTitle: 5,
  tracksByTime: 6,
  artistsByName: 7,
  albumArtistsByName: 8,
  albumArtistsByCount: 9,
  artistsByTime: 10,
} as const

/** The lists of genres begin here. */
const firstOfGenres = 100

export function albumsOfGenre(genre: number): number {
  return firstOfGenres + 2 * genre
}
export function tracksOfGenre(genre: number): number {
  return firstOfGenres + 1 + 2 * genre
}

/** Lists that are walked at random: all albums, all tracks, and those of each genre. */
function isWalkedRandomly(list: number): boolean {
  return list === lists.albumsByName || list === lists.tracksByTitle || list >= firstOfGenres
}

/** Entries in a block when it is made; at twice as many it is split. */
const blockSize = 1_024

export interface ListWriter {
  /** An item stands in some lists at `key`, seen by who sees `scope`. */
  add(lists: readonly number[], key: Key, item: number, scope: number): void
  remove(lists: readonly number[], key: Key, item: number, scope: number): void
  /** Writes what has been added and removed since, and counts it in the blocks. */
  flush(): void
}

interface Edit {
  readonly list: number
  readonly key: Key
  readonly item: number
  readonly scope: number
  readonly delta: 1 | -1
}

/**
 * Keeps ordered lists whose n-th entry is found without counting there: the entries of a list are cut into blocks of
 * about a thousand, and each block knows how many entries of each scope it has. Edits are gathered and written in the
 * order of the lists; an entry that is removed and added again costs nothing.
 */
export function openListWriter(db: DatabaseSync): ListWriter {
  const insert = db.prepare('INSERT OR REPLACE INTO entry (list, key, item, scope) VALUES (?, ?, ?, ?)')
  const drop = db.prepare('DELETE FROM entry WHERE list = ? AND key = ? AND item = ?')
  const blocks = openBlocks(db)
  const members = openMembers(db)
  const edits = new Map<number, Edit[]>()

  function gather(lists: readonly number[], key: Key, item: number, scope: number, delta: 1 | -1): void {
    for (const list of lists) {
      const edit = { list, key, item, scope, delta }
      const ofList = edits.get(list)
      if (ofList === undefined) edits.set(list, [edit])
      else ofList.push(edit)
    }
  }

  function write(edit: Edit): void {
    const key = keyBytes(edit.key)
    if (edit.delta === 1) insert.run(edit.list, key, edit.item, edit.scope)
    else drop.run(edit.list, key, edit.item)
    blocks.count(edit)
    if (isWalkedRandomly(edit.list)) members.count(edit)
  }

  return {
    add: (lists, key, item, scope) => gather(lists, key, item, scope, 1),
    remove: (lists, key, item, scope) => gather(lists, key, item, scope, -1),
    flush() {
      for (const [, ofList] of [...edits].sort(([a], [b]) => a - b)) {
        for (const edit of netEdits(ofList)) write(edit)
      }
      blocks.finish()
      members.finish()
      edits.clear()
    },
  }
}

/**
 * The same for empty tables, which nobody reads while they are filled: edits are set aside, and `flush`, which is called
 * once at the end, sorts them and writes each page of the tables once. Of a part of an index they are set aside in its
 * own file, and nobody calls `flush`: `fillLists` takes them from there. Tracks by time are made of their rows then,
 * which have all that is to be known.
 */
export function openListFiller(db: DatabaseSync, aside: 'temp' | 'main'): ListWriter {
  db.exec(`
    CREATE TABLE ${aside}.edit (
      list INTEGER, other INTEGER, key BLOB, item INTEGER, scope INTEGER, delta INTEGER
    )
  `)
  const insert = db.prepare(`INSERT INTO ${aside}.edit VALUES (?, ?, ?, ?, ?, ?)`)

  /** Two lists in a row: most tracks stand in that of all tracks, and in that of one genre. */
  function setAside(places: readonly number[], key: Key, item: number, scope: number, delta: 1 | -1): void {
    const bytes = keyBytes(key)
    for (let at = 0; at < places.length; at += 2) {
      const [list, other = null] = places.slice(at, at + 2)
      if (list !== undefined && list !== lists.tracksByTime) {
        insert.run(list, other, bytes, item, scope, delta)
      }
    }
  }

  return {
    add: (places, key, item, scope) => setAside(places, key, item, scope, 1),
    remove: (places, key, item, scope) => setAside(places, key, item, scope, -1),
    flush() {
      fillLists(db, [{ edits: aside, tracks: 'main' }])
      db.exec(`DROP TABLE ${aside}.edit`)
    },
  }
}

/** Fills the empty lists with what has been set aside in these databases of the connection, and with their tracks. */
export function fillLists(
  db: DatabaseSync,
  databases: readonly { readonly edits: string; readonly tracks: string }[],
): void {
  const edits = databases.flatMap((name) => [
    `SELECT list, key, item, scope, delta FROM ${name.edits}.edit`,
    `SELECT other, key, item, scope, delta FROM ${name.edits}.edit WHERE other IS NOT NULL`,
    `SELECT ${lists.tracksByTime}, ${timeKeySql('added', 'guid')}, id, scope, 1 FROM ${name.tracks}.track`,
  ])
  db.exec(`
    INSERT INTO main.entry (list, key, item, scope)
      SELECT list, key, item, scope FROM (${edits.join(' UNION ALL ')})
      GROUP BY list, key, item, scope HAVING sum(delta) > 0 ORDER BY list, key, item;
  `)
  const fillBlocks = openBlockFiller(db)
  const fillMembers = openMemberFiller(db)
  for (const row of db.prepare('SELECT DISTINCT list FROM entry').all()) {
    const list = integer(row.list)
    fillBlocks(list)
    if (isWalkedRandomly(list)) fillMembers(list)
  }
}

/** Answers the function that cuts a full list into blocks. */
function openBlockFiller(db: DatabaseSync): (list: number) => void {
  const next = db.prepare(
    `SELECT key FROM entry WHERE list = ? AND key > ? ORDER BY key LIMIT 1 OFFSET ${blockSize - 1}`,
  )
  const count = db.prepare(
    `INSERT INTO block (list, first, scope, count)
     SELECT list, ?, scope, count(*) FROM entry WHERE list = ? AND key >= ? AND key < ? GROUP BY scope`,
  )
  return (list) => {
    for (let first: Uint8Array | undefined = new Uint8Array(); first !== undefined; ) {
      const end: Uint8Array | undefined = optional(bytes, next.get(list, first)?.key)
      count.run(first, list, first, end ?? beyondAll)
      first = end
    }
  }
}

/** More than every key. */
const beyondAll = new Uint8Array(64).fill(0xff)

/**
 * The edits of a list in its order, without those that cancel out. An entry whose scope changes is removed and added
 * under the same key: the removal comes first.
 */
function netEdits(edits: Edit[]): Edit[] {
  edits.sort((a, b) => compare(a.key, b.key) || a.item - b.item || a.delta - b.delta)
  const net: Edit[] = []
  let start = 0
  for (const edit of edits) {
    const last = net.at(-1)
    // An entry has a handful of edits at most, and those that are left of it begin here.
    if (last?.item !== edit.item || last.key !== edit.key) start = net.length
    const opposite = edit.delta === 1 ? removalOf(net, start, edit.scope) : net.length
    if (opposite === net.length) net.push(edit)
    else net.splice(opposite, 1)
  }
  return net
}

/** Where among the edits from `start` on one removes from this scope; behind the last where none does. */
function removalOf(edits: readonly Edit[], start: number, scope: number): number {
  let at = start
  while (at < edits.length && (edits[at]?.delta !== -1 || edits[at]?.scope !== scope)) at += 1
  return at
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

interface Block {
  readonly list: number
  readonly first: Uint8Array
  /** Where the next block of the list begins; undefined: nowhere. */
  readonly end: Key | undefined
  readonly deltas: Map<number, number>
}

/** Counts entries in blocks. Edits come in the order of the lists, so one block at a time is open. */
function openBlocks(db: DatabaseSync): { count(edit: Edit): void; finish(): void } {
  const firstAt = db.prepare(
    'SELECT first FROM block WHERE list = ? AND first <= ? ORDER BY first DESC LIMIT 1',
  )
  const firstAfter = db.prepare('SELECT first FROM block WHERE list = ? AND first > ? ORDER BY first LIMIT 1')
  const write = db.prepare(
    `INSERT INTO block (list, first, scope, count) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count`,
  )
  const dropEmpty = db.prepare('DELETE FROM block WHERE list = ? AND first = ? AND count = 0')
  const total = db.prepare('SELECT total(count) AS count FROM block WHERE list = ? AND first = ?')
  const split = openSplitter(db, write)
  let open: Block | undefined

  function find(list: number, key: Key): Block {
    const first = firstAt.get(list, keyBytes(key))?.first
    const start = first === undefined ? new Uint8Array() : bytes(first)
    const next = firstAfter.get(list, start)?.first
    return { list, first: start, end: next === undefined ? undefined : keyOf(bytes(next)), deltas: new Map() }
  }

  function close(): void {
    if (open === undefined) return
    const { list, first, end, deltas } = open
    for (const [scope, delta] of deltas) if (delta !== 0) write.run(list, first, scope, delta)
    dropEmpty.run(list, first)
    if (integer(total.get(list, first)?.count) > 2 * blockSize) split(list, first, end)
    open = undefined
  }

  return {
    count(edit) {
      if (open?.list !== edit.list || (open.end !== undefined && edit.key >= open.end)) {
        close()
        open = find(edit.list, edit.key)
      }
      open.deltas.set(edit.scope, (open.deltas.get(edit.scope) ?? 0) + edit.delta)
    },
    finish: close,
  }
}

/** Cuts the block that begins at `first` and ends before `end` into blocks of the usual size. */
function openSplitter(db: DatabaseSync, write: StatementSync) {
  const dropBlock = db.prepare('DELETE FROM block WHERE list = ? AND first = ?')
  const walk = db.prepare('SELECT key, scope FROM entry WHERE list = ? AND key >= ? AND key < ? ORDER BY key')

  return function split(list: number, first: Uint8Array, end: Key | undefined): void {
    dropBlock.run(list, first)
    let start = first
    let counts = new Map<number, number>()
    let size = 0
    let last: Key | undefined
    const put = () => {
      for (const [scope, count] of counts) write.run(list, start, scope, count)
    }
    for (const row of walk.iterate(list, first, end === undefined ? beyondAll : keyBytes(end))) {
      const key = keyOf(bytes(row.key))
      if (size >= blockSize && key !== last) {
        put()
        start = keyBytes(key)
        counts = new Map()
        size = 0
      }
      const scope = integer(row.scope)
      counts.set(scope, (counts.get(scope) ?? 0) + 1)
      size += 1
      last = key
    }
    put()
  }
}
