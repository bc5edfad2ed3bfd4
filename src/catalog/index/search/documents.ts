import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Purpose } from '../../../index/projection.ts'
import { bytes, integer } from '../../../store/row.ts'
import { termsOf } from './words.ts'

export type DocumentKind = 'artist' | 'album' | 'track'

/** Where an item's words are found: its rowid in the FTS table, and a checksum of the names that they are of. */
export interface DocumentState {
  readonly document: number | null
  readonly words: number | null
}

/** Weights go from 0 to 15. */
const heaviest = 15
const idSpace = 2 ** 32

/** The rowid of an item's words: smaller for weightier items, so that FTS5 meets the popular ones first. */
export function documentId(weight: number, id: number): number {
  return (heaviest - weight) * idSpace + id
}

/** The item of a document. */
export function itemOf(document: number): number {
  return document % idSpace
}

/** How much an item matters among others that fit a search as well: by the binary logarithm of a count. */
export function weightOf(count: number): number {
  return Math.min(heaviest, Math.floor(Math.log2(1 + Math.max(0, count))))
}

/**
 * The term that marks the documents of a scope: a character of a private plane, which no word has. With it FTS5 itself
 * passes over what a viewer does not see.
 */
export function scopeTerm(scope: number): string {
  return String.fromCodePoint(0xf0000 + (scope % 0x1fffe))
}

export interface DocumentItem {
  readonly id: number
  readonly weight: number
  readonly scope: number
}

/** The names whose words make a field of a document. */
export type Names = readonly (string | null | undefined)[]

export interface Documents {
  /** Writes the words of an item, a column for each field, where its names, weight or scope have changed. */
  put(kind: DocumentKind, item: DocumentItem, fields: readonly Names[], old: DocumentState): DocumentState
  remove(kind: DocumentKind, old: DocumentState): void
  /** Counts the terms of some names into the vocabulary (1), or out of it (-1). */
  countTerms(names: Names, delta: 1 | -1): void
  flush(): void
}

const columns = {
  artist: ['name'],
  album: ['name', 'artist', 'genre'],
  track: ['title', 'artist', 'album', 'genre'],
} as const satisfies Record<DocumentKind, readonly string[]>

/** Names whose terms are kept, and fields: those of some hundred albums. */
const remembered = 4_000

/** A term with the names that have begun to use it since the vocabulary was written, less those that have ceased. */
interface CountedTerm {
  readonly term: string
  uses: number
}

export function openDocuments(db: DatabaseSync, purpose: Purpose): Documents {
  const tables = purpose === 'fill' || purpose === 'part' ? openStaging(db, purpose) : openSearchTables(db)
  const addUses = db.prepare(
    'INSERT INTO term (term, uses) VALUES (?, ?) ON CONFLICT DO UPDATE SET uses = uses + excluded.uses RETURNING uses',
  )
  const dropTerm = db.prepare('DELETE FROM term WHERE term = ?')
  const counted = new Map<string, CountedTerm>()
  const known = new Map<string, readonly CountedTerm[]>()
  const fields = new Map<string, string>()

  function countedTerm(term: string): CountedTerm {
    const found = counted.get(term)
    if (found !== undefined) return found
    const made = { term, uses: 0 }
    counted.set(term, made)
    return made
  }

  /**
   * A name's terms are asked for several times: to count them, for the item itself, and for what belongs to it. Whoever
   * counts them need not look each of them up.
   */
  function terms(name: string): readonly CountedTerm[] {
    const found = known.get(name)
    if (found !== undefined) return found
    if (known.size >= remembered) known.clear()
    const made = termsOf(name).map(countedTerm)
    known.set(name, made)
    return made
  }

  function wordsOf(names: Names): string {
    const words: string[] = []
    for (const name of names) if (name) for (const { term } of terms(name)) words.push(term)
    return words.join(' ')
  }

  /** Tracks of an album have most of their fields in common, but not the first one: their title. */
  function commonWordsOf(names: Names, key: string): string {
    const found = fields.get(key)
    if (found !== undefined) return found
    if (fields.size >= remembered) fields.clear()
    const made = wordsOf(names)
    fields.set(key, made)
    return made
  }

  return {
    put(kind, { id, weight, scope }, names, old) {
      const document = documentId(weight, id)
      // Of the names, not of the words: an item that has not changed need not be taken apart to see that.
      const texts = names.map((field) => field.join('\n'))
      const words = crc32(`${texts.join('\0')}\0${scope}`)
      if (old.document === document && old.words === words) return old
      if (old.document !== null) tables[kind].remove(old.document)
      const columns = names.map((field, at) =>
        at === 0 ? wordsOf(field) : commonWordsOf(field, texts[at] ?? ''),
      )
      tables[kind].insert(document, columns.with(-1, `${columns.at(-1)} ${scopeTerm(scope)}`))
      return { document, words }
    },
    remove(kind, old) {
      if (old.document !== null) tables[kind].remove(old.document)
    },
    countTerms(names, delta) {
      for (const name of names) {
        if (name) for (const term of terms(name)) term.uses += delta
      }
    },
    flush() {
      for (const { term, uses } of counted.values()) {
        if (uses !== 0 && integer(addUses.get(term, uses)?.uses) <= 0) dropTerm.run(term)
      }
      counted.clear()
      known.clear()
      for (const table of Object.values(tables)) table.flush()
    },
  }
}

interface Table {
  insert(document: number, fields: readonly string[]): void
  remove(document: number): void
  flush(): void
}

type Tables = Readonly<Record<DocumentKind, Table>>

/** FTS5 writes what it has gathered whenever a document comes out of turn: they are handed to it in their order. */
function openSearchTables(db: DatabaseSync): Tables {
  const open = (kind: DocumentKind): Table => {
    const insert = db.prepare(
      `INSERT INTO ${kind}_search (rowid, ${columns[kind].join(', ')}) VALUES (?${', ?'.repeat(columns[kind].length)})`,
    )
    const remove = db.prepare(`DELETE FROM ${kind}_search WHERE rowid = ?`)
    const inserted = new Map<number, readonly string[]>()
    const removed = new Set<number>()
    return {
      insert(document, fields) {
        inserted.set(document, fields)
      },
      remove(document) {
        if (!inserted.delete(document)) removed.add(document)
      },
      flush() {
        for (const document of [...removed].sort((a, b) => a - b)) remove.run(document)
        for (const [document, fields] of [...inserted].sort(([a], [b]) => a - b)) {
          insert.run(document, ...fields)
        }
        removed.clear()
        inserted.clear()
      },
    }
  }
  return { artist: open('artist'), album: open('album'), track: open('track') }
}

/**
 * While tables are filled, words are only set aside, in the order in which FTS5 takes them fastest: see `fillSearch`.
 */
function openStaging(db: DatabaseSync, purpose: 'fill' | 'part'): Tables {
  const aside = purpose === 'fill' ? 'temp' : 'main'
  const prepare = (kind: DocumentKind): Table => {
    const fields = columns[kind].join(', ')
    db.exec(`CREATE TABLE ${aside}.${kind}_words (document INTEGER PRIMARY KEY, ${fields})`)
    const insert = db.prepare(
      `INSERT INTO ${aside}.${kind}_words VALUES (?${', ?'.repeat(columns[kind].length)})
         ON CONFLICT DO UPDATE SET (${fields}) = (${columns[kind].map((name) => `excluded.${name}`).join(', ')})`,
    )
    const remove = db.prepare(`DELETE FROM ${aside}.${kind}_words WHERE document = ?`)
    return {
      insert: (document, fields) => {
        insert.run(document, ...fields)
      },
      remove: (document) => {
        remove.run(document)
      },
      flush: () => undefined,
    }
  }
  return { artist: prepare('artist'), album: prepare('album'), track: prepare('track') }
}

/**
 * What FTS5 gathers in memory, in bytes, before it writes it; at how many segments it merges them; and of how many
 * documents in a hundred that have gone it writes a level anew: of ten, it would as soon as an evening's work has
 * retagged a tenth of a catalog, and whoever makes up for that would wait for it.
 */
const usual = { hashsize: 1_048_576, automerge: 4, crisismerge: 16, deletemerge: 30 }
const filling = { hashsize: 16 * 1_048_576, automerge: 0, crisismerge: 1_000 }

/** Makes the search of all words that were set aside, in one pass, and merges it into one piece. */
export function fillSearch(db: DatabaseSync): void {
  for (const kind of ['artist', 'album', 'track'] as const) {
    fillSearchOf(db, kind, ['temp'])
    db.exec(`DROP TABLE temp.${kind}_words`)
  }
}

/** The same for one kind of items, whose words are in these databases of the connection. */
export function fillSearchOf(db: DatabaseSync, kind: DocumentKind, databases: readonly string[]): void {
  const table = `${kind}_search`
  const configure = (options: Readonly<Record<string, number>>) => {
    for (const [name, value] of Object.entries(options)) {
      db.exec(`INSERT INTO ${table} (${table}, rank) VALUES ('${name}', ${value})`)
    }
  }
  const fields = columns[kind].join(', ')
  const words = databases.map((name) => `SELECT document, ${fields} FROM ${name}.${kind}_words`)
  configure(filling)
  db.exec(`
    INSERT INTO ${table} (rowid, ${fields}) ${words.join(' UNION ALL ')} ORDER BY document;
    INSERT INTO ${table} (${table}) VALUES ('optimize');
  `)
  configure(usual)
  lift(db, kind)
}

/** How many levels above the lowest ones the piece that holds everything is put. */
const lifted = 3
/** The row of FTS5's data that says which pieces there are, and where in it the number of levels stands. */
const structure = { row: 10, levels: 8 }

/**
 * FTS5 keeps its pieces on levels, and merges four of a level into one of the next. What `optimize` has made lies on one
 * of the lowest, where it would soon be merged with three of a few words: all of it written anew, time and again, and at
 * once where many change, since each document that is removed counts as a page. Empty levels below it keep it apart until
 * what has changed is worth that. Whoever has this connection opens it anew before it writes.
 */
function lift(db: DatabaseSync, kind: DocumentKind): void {
  const data = `${kind}_search_data`
  const block = bytes(db.prepare(`SELECT block FROM ${data} WHERE id = ?`).get(structure.row)?.block)
  // The number of levels, that of pieces (one, or none) and a counter of several bytes, before what each level holds.
  let end = structure.levels + 2
  while ((block[end] ?? 0) >= 0x80) end += 1
  const made = [
    block.subarray(0, structure.levels),
    Buffer.of((block[structure.levels] ?? 0) + lifted),
    block.subarray(structure.levels + 1, end + 1),
    // An empty level: nothing that is being merged, no pieces.
    Buffer.alloc(2 * lifted),
    block.subarray(end + 1),
  ]
  db.enableDefensive(false)
  db.prepare(`UPDATE ${data} SET block = ? WHERE id = ?`).run(Buffer.concat(made), structure.row)
  db.enableDefensive(true)
}

/** Copies the search of one kind of items from an attached database, where it has been filled, into the empty one here. */
export function copySearchOf(db: DatabaseSync, kind: DocumentKind, from: string): void {
  // FTS5 keeps its index in tables of its own, which are copied as they are. Whoever has this connection opens it anew.
  db.enableDefensive(false)
  for (const name of ['data', 'idx', 'docsize', 'config']) {
    const table = `${kind}_search_${name}`
    db.exec(`DELETE FROM main.${table}; INSERT INTO main.${table} SELECT * FROM ${from}.${table}`)
  }
  db.enableDefensive(true)
}
