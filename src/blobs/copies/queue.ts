import { rmSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { BlobHash } from '../../protocol/ids.ts'
import { integer, text } from '../../store/row.ts'

/** What is to be done with one blob here: to get a copy that should be here, or to drop one that should not. */
export interface Task {
  readonly kind: 'pull' | 'drop'
  readonly hash: BlobHash
  readonly size: number
  /** The smaller, the sooner: see `urgencyOf` and `dropUrgency`. */
  readonly urgency: number
}

export interface DueTask extends Task {
  /** How often it has failed. */
  readonly attempts: number
  /** New with each `add`. */
  readonly stamp: number
}

export interface QueueCounts {
  readonly pulls: number
  readonly pullBytes: number
  readonly drops: number
  /** Pulls of which no copy was found on any live node. */
  readonly lost: number
}

/** Where the comparison of everything stands: see `compare.ts`. */
export interface ComparisonState {
  /** The version of the layout that it compares with. */
  readonly version: number
  readonly phase: 'wanted' | 'held' | 'done'
  /** The last blob that was compared in this phase. */
  readonly after: string
  readonly wanted: number
  readonly wantedBytes: number
  readonly finishedAt: number
}

/**
 * Tasks in a file, so that a restart goes on where it was, and a million of them need no memory. It can be lost at any
 * time: comparing what is with what should be makes it again. So nothing in it is flushed to the disk.
 */
export interface Queue extends Disposable {
  /** Adds tasks, or makes known ones more urgent; what they have failed so far is kept. */
  add(tasks: readonly Task[]): void
  /** The most urgent ones whose time has come, from `leastUrgency` on. */
  due(now: number, limit: number, leastUrgency?: number): DueTask[]
  /** When the next one is due, in milliseconds since 1970; null: there is none. */
  nextDue(): number | null
  /** Neither touches a task that was asked for again while this one was worked on: it may be another one by now. */
  done(task: Pick<DueTask, 'hash' | 'stamp'>): void
  failed(task: Pick<DueTask, 'hash' | 'stamp'>, due: number, problem: string): void
  /** Makes everything that waits after a failure due now, a slice at a time. */
  retryAll(now: number, signal: AbortSignal): Promise<void>
  counts(): QueueCounts
  /** Blobs that no live node has, in the order of their names. */
  lost(limit: number): BlobHash[]
  comparison(): ComparisonState | null
  setComparison(state: ComparisonState): void
}

/** Copies that exist elsewhere, 0 to 9, are the urgency of a pull; drops come after all of them. */
export const dropUrgency = 10
/** How the problem of a lost blob is called. */
export const lostProblem = 'BLOB_MISSING'

const sliceRows = 500

const schema = `
CREATE TABLE IF NOT EXISTS task (
  hash TEXT PRIMARY KEY, kind TEXT NOT NULL, size INTEGER NOT NULL, urgency INTEGER NOT NULL,
  stamp INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0, problem TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS task_due ON task (urgency, due);
CREATE INDEX IF NOT EXISTS task_waiting ON task (due) WHERE attempts > 0;
CREATE INDEX IF NOT EXISTS task_lost ON task (hash) WHERE problem = '${lostProblem}';
CREATE TABLE IF NOT EXISTS total (kind TEXT PRIMARY KEY, tasks INTEGER NOT NULL, bytes INTEGER NOT NULL, lost INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES ('pull', 0, 0, 0), ('drop', 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS task_added AFTER INSERT ON task BEGIN
  UPDATE total SET tasks = tasks + 1, bytes = bytes + new.size, lost = lost + (new.problem IS '${lostProblem}')
    WHERE kind = new.kind;
END;
CREATE TRIGGER IF NOT EXISTS task_gone AFTER DELETE ON task BEGIN
  UPDATE total SET tasks = tasks - 1, bytes = bytes - old.size, lost = lost - (old.problem IS '${lostProblem}')
    WHERE kind = old.kind;
END;
CREATE TRIGGER IF NOT EXISTS task_changed AFTER UPDATE OF problem ON task BEGIN
  UPDATE total SET lost = lost - (old.problem IS '${lostProblem}') + (new.problem IS '${lostProblem}')
    WHERE kind = new.kind;
END;
CREATE TABLE IF NOT EXISTS comparison (
  one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, phase TEXT NOT NULL, after TEXT NOT NULL,
  wanted INTEGER NOT NULL, wanted_bytes INTEGER NOT NULL, finished_at INTEGER NOT NULL
);
PRAGMA user_version = 1;
`

/** Opens the file; one that is damaged is made anew. */
export function openQueue(path: string): Queue {
  const database = openFile(path)
  const prepare = (sql: string) => database.prepare(sql)
  // A task of the other kind is replaced: what should be here has changed since.
  const replaceOther = prepare('DELETE FROM task WHERE hash = ? AND kind <> ?')
  const insert = prepare(`INSERT INTO task (hash, kind, size, urgency, stamp) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (hash) DO UPDATE SET urgency = min(urgency, excluded.urgency), stamp = excluded.stamp`)
  const select = prepare(`SELECT hash, kind, size, urgency, stamp, attempts FROM task
    WHERE urgency = ? AND due <= ? ORDER BY due LIMIT ?`)
  const earliest = prepare('SELECT due FROM task WHERE urgency = ? ORDER BY due LIMIT 1')
  const remove = prepare('DELETE FROM task WHERE hash = ? AND stamp = ?')
  const postpone = prepare(
    'UPDATE task SET attempts = attempts + 1, due = ?, problem = ? WHERE hash = ? AND stamp = ?',
  )
  const hasten = prepare(`UPDATE task SET due = ?1, attempts = 1 WHERE hash IN
    (SELECT hash FROM task WHERE attempts > 0 AND due > ?1 LIMIT ${sliceRows})`)
  const totals = prepare('SELECT kind, tasks, bytes, lost FROM total')
  const lost = prepare(`SELECT hash FROM task WHERE problem = '${lostProblem}' ORDER BY hash LIMIT ?`)
  const getComparison = prepare('SELECT * FROM comparison')
  const putComparison = prepare('INSERT OR REPLACE INTO comparison VALUES (1, ?, ?, ?, ?, ?, ?)')
  // Later than all stamps of the processes before.
  let lastStamp = Date.now() * 1_000
  const urgencies = Array.from({ length: dropUrgency + 1 }, (_, urgency) => urgency)

  return {
    add(tasks) {
      if (tasks.length === 0) return
      database.exec('BEGIN')
      try {
        for (const { hash, kind, size, urgency } of tasks) {
          replaceOther.run(hash, kind)
          lastStamp += 1
          insert.run(hash, kind, size, urgency, lastStamp)
        }
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },

    due(now, limit, leastUrgency = 0) {
      const found: DueTask[] = []
      for (const urgency of urgencies.slice(leastUrgency)) {
        if (found.length >= limit) break
        found.push(...select.all(urgency, now, limit - found.length).map(taskOf))
      }
      return found
    },

    nextDue() {
      const times = urgencies.flatMap((urgency) => {
        const row = earliest.get(urgency)
        return row === undefined ? [] : [integer(row.due)]
      })
      return times.length === 0 ? null : Math.min(...times)
    },

    done: ({ hash, stamp }) => void remove.run(hash, stamp),
    failed: ({ hash, stamp }, due, problem) => void postpone.run(Math.round(due), problem, hash, stamp),

    async retryAll(now, signal) {
      while (Number(hasten.run(now).changes) === sliceRows) await turn(undefined, { signal })
    },

    counts() {
      const rows = new Map(totals.all().map((row) => [text(row.kind), row]))
      const of = (kind: string, column: string) => integer(rows.get(kind)?.[column] ?? 0)
      return {
        pulls: of('pull', 'tasks'),
        pullBytes: of('pull', 'bytes'),
        drops: of('drop', 'tasks'),
        lost: of('pull', 'lost'),
      }
    },

    lost: (limit) => lost.all(limit).map(({ hash }) => text(hash)),

    comparison() {
      const row = getComparison.get()
      if (row === undefined) return null
      const phase = text(row.phase)
      return {
        version: integer(row.version),
        phase: phase === 'held' || phase === 'done' ? phase : 'wanted',
        after: text(row.after),
        wanted: integer(row.wanted),
        wantedBytes: integer(row.wanted_bytes),
        finishedAt: integer(row.finished_at),
      }
    },

    setComparison({ version, phase, after, wanted, wantedBytes, finishedAt }) {
      putComparison.run(version, phase, after, wanted, wantedBytes, finishedAt)
    },

    [Symbol.dispose]: () => database.close(),
  }
}

function openFile(path: string): DatabaseSync {
  try {
    return openSound(path)
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    return openSound(path)
  }
}

function openSound(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048')
    const version = integer(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    if (version > 1) throw new Error(`a queue of form ${version}`)
    database.exec(schema)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function taskOf(row: Record<string, SQLOutputValue>): DueTask {
  return {
    hash: text(row.hash),
    kind: text(row.kind) === 'drop' ? 'drop' : 'pull',
    size: integer(row.size),
    urgency: integer(row.urgency),
    stamp: integer(row.stamp),
    attempts: integer(row.attempts),
  }
}
